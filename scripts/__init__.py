"""Programs for whoever runs or develops Waypoint; each is called by the Makefile."""
