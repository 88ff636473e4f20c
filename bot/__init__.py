"""The process that faces people: channels, gateway, desk and dispatch."""
