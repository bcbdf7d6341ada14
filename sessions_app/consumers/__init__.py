"""The sockets: each consumer parses, calls one service, and answers."""
