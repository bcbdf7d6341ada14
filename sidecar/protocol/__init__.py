"""The link's messages and numbering, without I/O: the one package that the platform and the sidecar share."""
