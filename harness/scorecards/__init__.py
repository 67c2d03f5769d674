"""Scorecards: the objects that `--json` prints. Their keys are a public contract (docs/json.md).

An undefined number is None, and `reason` or an entry of `reasons` says why.
"""
