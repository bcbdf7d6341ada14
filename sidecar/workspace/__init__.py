"""The workspace as the platform may ask about it."""
