"""Commands that operate on sessions."""
