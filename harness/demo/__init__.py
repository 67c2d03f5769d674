"""A server on loopback that answers like the model APIs, without a model."""
