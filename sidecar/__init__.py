"""The trusted program beside each box: it drives the agent, keeps the keys and is the box's only door."""

__version__ = "0.1.0"
