"""Policies: load, lint, compare two versions."""
