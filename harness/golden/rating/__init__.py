"""Ratings by people: sheets, ratings, adjudications."""
