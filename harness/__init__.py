"""Can we trust this LLM's judgement of our product? An eval harness for LLM teacher models."""

__version__ = "0.1.0"
