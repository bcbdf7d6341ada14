"""Says of an address whether it is made of words: then boxes may read it. What is not may hold a token.

Nobody can tell a password that looks like words from words. Everything else counts as a secret: a UUID does,
and whatever is no word, no number and no version.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_MOST_ODD = 7
"""Characters of one part of a path that need not belong to a word: a short name may be anything."""

_JOINTS = re.compile(r"[-._~+]")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SEGMENT = re.compile(r"[A-Za-z0-9._~+-]*")
_WORD = re.compile(
    r"(?!.{25})(?:[A-Za-z]?[a-z]+|[A-Z]{1,12})(?:[A-Z][a-z]{2,})*"  # also CamelCase
    r"|\d{1,12}"
    r"|\d{8}T\d{6}Z"  # the moment of a snapshot
)
# Such as python3, el9 and 3rd: one of them may stand in a part of a path, several make a licence key.
_NUMBERED = re.compile(r"[A-Za-z]{1,12}\d{1,4}|\d{1,4}[a-z]{1,3}")


def is_plain(address: str) -> bool:
    """Whether nothing in it can be taken for a secret: no name, password or query, and a path of words."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        return False
    return all(_is_plain(segment) for segment in parts.path.split("/"))


def _is_plain(segment: str) -> bool:
    if not _SEGMENT.fullmatch(segment) or _UUID.search(segment):
        return False
    pieces = [piece for piece in _JOINTS.split(segment) if piece and not _WORD.fullmatch(piece)]
    numbered = [piece for piece in pieces if _NUMBERED.fullmatch(piece)]
    if len(numbered) == 1:
        pieces.remove(numbered[0])
    return sum(map(len, pieces)) <= _MOST_ODD
