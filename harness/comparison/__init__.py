"""Two graders of the same golden items: what moved, and whether it is real. Paired, clustered by query."""
