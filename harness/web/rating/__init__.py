"""Raters' pages: grade pairs blind, in the browser."""
