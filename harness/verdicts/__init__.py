"""Scorecards and thresholds become verdicts."""
