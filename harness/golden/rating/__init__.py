"""Ratings by people: read, hand out, adjudicate."""
