"""A server on loopback that answers as the model APIs do, and has no model behind it."""
