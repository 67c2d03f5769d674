"""Smaller models that learn from a teacher: training sets, a student of our own, and its check."""
