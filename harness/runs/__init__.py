"""The run folder: manifest, record log, listing. What reads a run makes no API calls."""
