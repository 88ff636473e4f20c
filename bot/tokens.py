"""Signed session tokens of the website: they say which conversation a browser may use, and for how long.

A token is good for a day. For a month it can still be exchanged for a fresh one, so that someone whose phone slept
over a weekend goes on where they were.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from itsdangerous import BadData, SignatureExpired, TimestampSigner

LIFETIME = 24 * 60 * 60
RENEWABLE = 30 * 24 * 60 * 60
MAX_LENGTH = 256


class TokenInvalid(Exception):
    """The token is not one of ours."""


class TokenExpired(Exception):
    """The token is ours, and too old for what was asked."""


class _Signer(TimestampSigner):
    def __init__(self, secret: str, purpose: str, now: Callable[[], float]) -> None:
        super().__init__(secret, salt=f"waypoint.web.{purpose}", key_derivation="hmac", digest_method=hashlib.sha256)
        self._now = now

    def get_timestamp(self) -> int:
        return int(self._now())


class Tokens:
    """Makes and reads session tokens. `now` is the clock, in seconds since 1970.

    A token of one `purpose` is worth nothing for another; `lifetime` is how long it can be used, in seconds.
    """

    def __init__(
        self,
        secret: str,
        now: Callable[[], float] = time.time,
        *,
        purpose: str = "session",
        lifetime: int = LIFETIME,
    ) -> None:
        if not secret:
            raise ValueError("SECRET_KEY is empty. Set it, or SECRET_KEY_FILE, in the environment.")
        self._signer, self._lifetime = _Signer(secret, purpose, now), lifetime

    def issue(self, conversation: str) -> str:
        """A fresh token for this conversation."""
        return self._signer.sign(conversation).decode()

    def read(self, token: str) -> str:
        """The conversation of a token that is in force. Raises TokenExpired or TokenInvalid."""
        return self._read(token, self._lifetime)

    def renew(self, token: str) -> str:
        """The conversation of a token that may be exchanged. Raises TokenExpired or TokenInvalid."""
        return self._read(token, RENEWABLE)

    def _read(self, token: str, max_age: int) -> str:
        if len(token) > MAX_LENGTH:
            raise TokenInvalid
        try:
            return self._signer.unsign(token, max_age=max_age).decode()
        except SignatureExpired:
            raise TokenExpired from None
        except (BadData, UnicodeError):
            raise TokenInvalid from None
