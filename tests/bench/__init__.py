"""Measures the product beside a baseline in the same run; `make bench` prints the table and writes it."""
