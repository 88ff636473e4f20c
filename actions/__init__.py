"""The action server: what the assistant does when the engine has understood a message."""
