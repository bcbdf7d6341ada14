"""The terminals of a session: their output by offset, their viewers, and what is kept of them."""
