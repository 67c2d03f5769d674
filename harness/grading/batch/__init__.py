"""Grading in batches: hand over, wait, take in. What was paid for is never asked again."""
