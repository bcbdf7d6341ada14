"""The forms in which a secret may stand in text: as it is, and as JSON, URLs, base64 and hex write it."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

SHORTEST = 6
"""Shorter pieces stand in texts by chance."""

_ESCAPED_BY_SOME = "+/<>&='\"\\"


def of(secret: str) -> frozenset[str]:
    """All of them. A secret that is too short to be recognized has only the one that it is."""
    if len(secret) < SHORTEST:
        return frozenset({secret} - {""})
    raw = secret.encode("utf-8", "replace")
    found = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    found |= {form.replace("/", "\\/") for form in found}
    found |= {_escaped(secret, "x"), _escaped(secret, "X"), quote(secret, safe="")}
    found |= {raw.hex(), raw.hex().upper()}
    for shift in range(3):
        # Wherever it stands in what was encoded, these characters depend on the secret alone.
        encoded = base64.b64encode(b"\0" * shift + raw).decode()
        core = encoded[(shift * 8 + 5) // 6 :][: (len(raw) * 8) // 6 - 1]
        if len(core) >= SHORTEST:
            found |= {core, core.replace("+", "-").replace("/", "_")}
    return frozenset(found)


def _escaped(secret: str, digits: str) -> str:
    """As JSON that is careful about HTML writes it."""
    codes = {character: f"\\u{ord(character):04{digits}}" for character in _ESCAPED_BY_SOME}
    return "".join(codes.get(character, character) for character in secret)
