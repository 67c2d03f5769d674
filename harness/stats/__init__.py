"""Statistics on plain numbers: no LLM, no files, no policies."""
