"""The teacher at work: labels of production pairs."""
