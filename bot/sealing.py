"""Sealing: one value, encrypted and bound to its place, so that nobody reads, changes or moves it without its key.

All of it is done by `cryptography`: AES-256-GCM with a random nonce for values and keys, HKDF for the keys of keys.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = b"\x01"
KEY_ID = 16  # bytes
NONCE = 12
TAG = 16
SHORTEST = 32  # characters of DATA_KEY
CHUNK = 256 * 1024  # of a file


class Unsealable(Exception):
    """A value cannot be opened: it was changed or moved, or its key is another one. It says nothing of the value."""


class KeyGone(Unsealable):
    """The key was destroyed: what it sealed is gone for good."""


class KeyUnknown(Exception):
    """No key that we were given has wrapped this one."""


class BadKey(ValueError):
    """DATA_KEY cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Sealed:
    """A sealed value as it stands in the database: version, the key's id, nonce, what was encrypted."""

    data: bytes

    @property
    def key_id(self) -> str:
        """Which key opens it."""
        return self.data[1 : 1 + KEY_ID].hex()


def new_key() -> bytes:
    """A random key of 256 bits."""
    return AESGCM.generate_key(256)


def seal(key_id: str, key: bytes, place: str, plain: bytes) -> Sealed:
    """Encrypt a value for one place (table, column, row)."""
    nonce = os.urandom(NONCE)
    head = VERSION + bytes.fromhex(key_id)
    return Sealed(head + nonce + AESGCM(key).encrypt(nonce, plain, head + place.encode()))


def unseal(sealed: Sealed, key: bytes, place: str) -> bytes:
    """What was sealed for this place. Raises Unsealable."""
    head, rest = sealed.data[: 1 + KEY_ID], sealed.data[1 + KEY_ID :]
    if head[:1] != VERSION:
        raise Unsealable("sealed by another release")
    try:
        return AESGCM(key).decrypt(rest[:NONCE], rest[NONCE:], head + place.encode())
    except (InvalidTag, ValueError):
        raise Unsealable("changed, moved, or of another key") from None


# Keys of keys.


class Wrapper:
    """Wraps data keys by DATA_KEY. The first key given wraps; the others are still known, while keys are exchanged."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Raises BadKey."""
        if not secrets or not secrets[0]:
            raise BadKey("DATA_KEY is not set. Set it, or DATA_KEY_FILE: what people said cannot be read without it.")
        if any(len(secret) < SHORTEST for secret in secrets):
            raise BadKey(f"DATA_KEY is too short: it needs {SHORTEST} random characters (openssl rand -base64 32).")
        self._keys = {_derived(secret, b"id", 8).hex(): _derived(secret, b"wrap", 32) for secret in secrets}
        self.current = next(iter(self._keys))

    def knows(self, wrapped_by: str) -> bool:
        """Whether a key of keys was given."""
        return wrapped_by in self._keys

    def wrap(self, key_id: str, key: bytes) -> bytes:
        """A data key as it is kept."""
        nonce = os.urandom(NONCE)
        return nonce + AESGCM(self._keys[self.current]).encrypt(nonce, key, f"key:{key_id}".encode())

    def unwrap(self, key_id: str, wrapped: bytes, wrapped_by: str) -> bytes:
        """The data key. Raises KeyUnknown and Unsealable."""
        if wrapped_by not in self._keys:
            raise KeyUnknown(wrapped_by)
        try:
            return AESGCM(self._keys[wrapped_by]).decrypt(wrapped[:NONCE], wrapped[NONCE:], f"key:{key_id}".encode())
        except (InvalidTag, ValueError):
            raise Unsealable("a wrapped key was changed") from None


def _derived(secret: str, purpose: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, None, b"waypoint data key " + purpose).derive(secret.encode())


# Files: in chunks, so that none has to be in memory whole.


def seal_file(source: BinaryIO, target: BinaryIO, key: bytes) -> None:
    """Encrypt a file chunk by chunk. Each knows its number and whether it is the last: none can be moved or cut off."""
    cipher, number = AESGCM(key), 0
    chunk = source.read(CHUNK)
    while True:
        following = source.read(CHUNK)
        nonce = os.urandom(NONCE)
        target.write(nonce + cipher.encrypt(nonce, chunk, _chunk(number, last=not following)))
        if not following:
            return
        chunk, number = following, number + 1


def unseal_file(path: Path, key: bytes) -> Iterator[bytes]:
    """What was sealed, piece by piece; none is given before it was checked. Raises Unsealable and OSError."""
    cipher, number, length = AESGCM(key), 0, NONCE + CHUNK + TAG
    with path.open("rb") as source:
        chunk = source.read(length)
        while True:
            following = source.read(length)
            try:
                yield cipher.decrypt(chunk[:NONCE], chunk[NONCE:], _chunk(number, last=not following))
            except (InvalidTag, ValueError):
                raise Unsealable("a file was changed") from None
            if not following:
                return
            chunk, number = following, number + 1


def plain_size(path: Path) -> int:
    """How large a sealed file is once it is opened. Raises OSError."""
    size, length = path.stat().st_size, NONCE + CHUNK + TAG
    return size - -(-size // length) * (NONCE + TAG)


def _chunk(number: int, *, last: bool) -> bytes:
    return f"file:{number}:{'last' if last else 'more'}".encode()
