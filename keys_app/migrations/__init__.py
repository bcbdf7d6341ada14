"""Database migrations of the keys app."""
