"""The key that tests' databases are encrypted with."""

from bot.keyring import Keyring

DATA_KEY = "only of these tests, and long enough for a key"
KEYS = Keyring([DATA_KEY])
