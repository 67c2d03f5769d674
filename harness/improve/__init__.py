"""Better prompts: edits are proposed from disagreements, and accepted on other pairs."""
