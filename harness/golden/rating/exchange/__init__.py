"""Ratings in and out: the files of other annotation tools, one module for each tool."""
