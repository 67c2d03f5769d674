"""Better prompts: edits that are proposed from disagreements, and accepted on pairs that they never saw."""
