"""Template, policy, shots and pair become a prompt; a reply becomes a grade or a reason why not."""
