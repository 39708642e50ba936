"""Pseudonyms: a person's id becomes `actor_key` before anything reaches a disk.

Promises: the same id gives the same key within one pilot and key id, and different keys in two pilots; the secret
is a file of its own that only its owner may read, beside no data; nothing here logs or stores an id.
Source: security.md 6.
"""

import base64
import hmac
import os
import secrets
import unicodedata
from hashlib import sha256
from pathlib import Path

from collectors.message import CollectorError

KEY_ID = "k1"
_KEY_BYTES = 32


class PseudonymKeys:
    """A folder of secrets, one per pilot and key id; a missing one is made at first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[str, bytes] = {}

    def actor_key(self, pilot: str, person_id: str) -> str:
        """The pseudonym of a person in one pilot."""
        return pseudonym(self._key(pilot), pilot, person_id)

    def _key(self, pilot: str) -> bytes:
        key = self._keys.get(pilot)
        if key is None:
            key = self._keys[pilot] = read_or_make_key(self._folder / f"{pilot}.{KEY_ID}.key")
        return key

    def known(self, pilot: str) -> bool:
        """Whether there is a key of this pilot: without it nobody can be found by the id that a source knows."""
        return (self._folder / f"{pilot}.{KEY_ID}.key").exists()


def read_or_make_key(path: Path) -> bytes:
    """The secret in a file that only its owner may read; made when it is missing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise CollectorError(
            f"{path}: the key for pseudonyms cannot be used ({error.strerror}); "
            "make its folder readable and writable for this user"
        ) from error
    if len(key) < 16:
        raise CollectorError(f"{path}: the key for pseudonyms is shorter than 16 bytes; restore it from its backup")
    return key


def pseudonym(key: bytes, pilot: str, person_id: str, key_id: str = KEY_ID) -> str:
    """The key id and 26 base32 letters of an HMAC over pilot and id.

    >>> pseudonym(b"0" * 32, "bremen", "Ada") == pseudonym(b"0" * 32, "bremen", "ada")
    True
    >>> pseudonym(b"0" * 32, "bremen", "ada") == pseudonym(b"0" * 32, "malmo", "ada")
    False
    """
    normal = unicodedata.normalize("NFKC", person_id).casefold()
    digest = hmac.new(key, f"v1|{pilot}|{normal}".encode(), sha256).digest()
    return key_id + base64.b32encode(digest).decode()[:26]


def _make(path: Path) -> None:
    # Written whole under another name first: two processes may start at once, and a half-written key is none.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(_KEY_BYTES))
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
