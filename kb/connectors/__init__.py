"""One module a source type; each reads its source through the port in `base`."""
