"""Paired comparison of graders on the same golden items, clustered by query."""
