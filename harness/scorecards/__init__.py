"""What the gates found: the objects that `--json` prints. Their keys are contract (docs/json.md).

A number that is undefined is None, and a `reason` beside it or an entry of `reasons` says why.
"""
