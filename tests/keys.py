"""The key that tests' databases are encrypted with."""

from bot.keyring import Keyring

DATA_KEY = "only of these tests and long enough for a key"


def keys() -> Keyring:
    """A keyring of one database, with nothing in its memory."""
    return Keyring([DATA_KEY])
