"""The teacher over time: golden pairs asked again, day by day."""
