"""The way out of the box: an HTTP proxy that keeps to the session's policy, asks, and tells what it did."""
