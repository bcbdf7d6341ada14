"""Fakes: real, small implementations that pass the same contract suites as what they stand for."""
