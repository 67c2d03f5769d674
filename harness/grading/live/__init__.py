"""The run engine: a stream of questions goes in, and each comes out as one record."""
