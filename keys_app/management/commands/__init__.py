"""Commands of the keys app."""
