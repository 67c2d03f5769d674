"""Pure numbers: knows no LLM, no file, no policy."""
