"""The agents that speak ACP, as data: one module for what is particular about each."""
