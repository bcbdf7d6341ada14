"""Sessions: their rows, their instances on some infrastructure, and the live path to the browser."""
