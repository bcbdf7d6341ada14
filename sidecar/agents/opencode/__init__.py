"""OpenCode over its HTTP API and event stream."""
