"""What a run tells an OpenTelemetry collector, if the user asks for it: spans of calls, events of grades."""
