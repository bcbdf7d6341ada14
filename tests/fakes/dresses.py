"""Every form in which a program could hide a secret that it has found, for tests of whoever looks for one."""

from __future__ import annotations

import base64
import gzip
import urllib.parse
import zlib
from collections.abc import Callable


def _percent(raw: bytes) -> bytes:
    return "".join(f"%{byte:02X}" for byte in raw).encode()


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "raw": lambda raw: raw,
    **{
        f"base64-{lead}": lambda raw, lead=lead: base64.b64encode(b"x" * lead + raw + b"and more")  # type: ignore[misc]
        for lead in range(3)
    },
    **{
        f"url-base64-{lead}": lambda raw, lead=lead: base64.urlsafe_b64encode(b"?" * lead + raw + b"~~~")  # type: ignore[misc]
        for lead in range(3)
    },
    "hex": lambda raw: raw.hex().encode(),
    "upper-hex": lambda raw: raw.hex().upper().encode(),
    "url": lambda raw: urllib.parse.quote(raw, safe="").encode(),
    "percent": _percent,
    "reversed": lambda raw: raw[::-1],
    "gzip": lambda raw: gzip.compress(b"something " + raw + b" something"),
    "gzip-of-base64": lambda raw: gzip.compress(base64.b64encode(raw)),
    "zlib": lambda raw: zlib.compress(b"something " + raw),
    "utf-16-le": lambda raw: raw.decode().encode("utf-16-le"),
    "utf-16-be": lambda raw: raw.decode().encode("utf-16-be"),
}
