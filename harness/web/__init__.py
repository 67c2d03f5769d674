"""The local web pages over a project's runs, policies and prompts. They read files and ask nobody."""
