"""Prompts from template, policy, shots and pair; grades, or reasons for their absence, from replies."""
