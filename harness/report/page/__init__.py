"""A run, or two, as one HTML file that can be mailed and opened offline."""
