"""What every coding agent promises, checked against the fake one and against real ones."""
