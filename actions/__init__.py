"""The engine's custom actions: thin; they hand a turn to casework and say back what was said."""
