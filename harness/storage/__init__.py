"""Files, tables, the project folder, digests, Hugging Face data sets."""
