"""The golden set: examples and ratings, splits, leakage control, lint, import and export."""
