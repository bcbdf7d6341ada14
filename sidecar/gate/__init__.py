"""The gate: the only ways out of a box, each with its own policy; first of them the model proxy, `models`."""
