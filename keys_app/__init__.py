"""Provider keys: kept encrypted, tested, and sealed to sidecars. Knows nothing of sessions."""
