"""Nonsense by the million, at every edge where something comes in: `make fuzz`."""
