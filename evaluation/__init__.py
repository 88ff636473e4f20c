"""How well the assistant understands messages that it has not learned from: figures beside their aims."""
