"""Results for people: renderables for a terminal. Nothing here prints."""
