"""Vendors, tokens, prices: what a call costs."""
