"""Real pairs of containers, many at once and beside bad neighbours: `python -m tests.pairs`."""
