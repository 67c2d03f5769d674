"""A project of one's own: its first files, and new versions of policies and prompts as drafts."""
