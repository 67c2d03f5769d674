"""The local web pages for a project: runs, policies, prompts. They only read files and make no API calls."""
