"""Files, tables, the project folder, digests, and Hugging Face data sets."""
