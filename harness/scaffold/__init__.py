"""New projects with their first files, and new versions of policies and prompts as drafts."""
