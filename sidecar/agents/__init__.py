"""Coding agents behind one interface: `base` says what it is, a folder or file per agent implements it."""
