"""Grading in batches: submit, wait, collect. Paid questions are not asked again."""
