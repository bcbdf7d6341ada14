"""Key encryption keys (KEKs): one file for each place that one may be kept."""
