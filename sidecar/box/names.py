"""Writes file names as text and back: whatever bytes a name holds, the text is printable and reversible.

A backslash starts an escape: `\\\\` is a backslash, `\\xNN` one byte, `\\uNNNN` and `\\UNNNNNNNN` a character
that would not be seen as what it is (line breaks, zero-width and direction marks).
"""

from __future__ import annotations

import re
import unicodedata

_ESCAPE = re.compile(r"\\(?:\\|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")


def escape(name: bytes) -> str:
    """`name` as printable text; `unescape` gives the same bytes again."""
    text = name.decode("utf-8", "surrogateescape")
    return "".join("\\\\" if char == "\\" else _visible(char) for char in text)


def unescape(text: str) -> bytes:
    """The bytes that `escape` wrote as `text`; a backslash that starts no escape stands for itself."""
    parts = []
    end = 0
    for match in _ESCAPE.finditer(text):
        parts.append(_encode(text[end : match.start()]))
        parts.append(_unescaped(match.group()[1:]))
        end = match.end()
    parts.append(_encode(text[end:]))
    return b"".join(parts)


def clean(text: str) -> str:
    """Text of unknown origin with everything escaped that is not printable; backslashes stay as they are."""
    return "".join(map(_visible, text))


def _visible(char: str) -> str:
    if char.isprintable() or unicodedata.category(char) == "Zs":
        return char
    code = ord(char)
    if code < 0x80 or 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code & 0xFF:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _unescaped(escape_text: str) -> bytes:
    if escape_text == "\\":
        return b"\\"
    code = int(escape_text[1:], 16)
    if escape_text[0] == "x":
        return bytes([code])
    return _encode(chr(code)) if code <= 0x10FFFF else b"?"


def _encode(text: str) -> bytes:
    # Lone surrogates can only come from a client that made the text up: no file of ours has that name.
    return text.encode("utf-8", "replace")
