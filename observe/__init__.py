"""What every process says of its work, to whoever watches: ids in its logs, and spans. For both Pythons, 3.10 and 3.12.

Neither ever holds a person's words.
"""
