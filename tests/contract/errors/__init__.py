"""One language for what goes wrong, whatever agent it goes wrong with."""
