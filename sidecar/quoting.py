"""What others said, made fit to be quoted: without what may be a secret, and without what is not text."""

from __future__ import annotations

import re

_MARKUP = re.compile(r"<[^<>]{0,400}>")
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://\S*", re.IGNORECASE)
_KEY_LIKE = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|gh[opsur]|github_pat|glpat|hf|oat)[-_][A-Za-z0-9*._-]{6,}|\bAIza[A-Za-z0-9*_-]{6,}"
    r"|\bBearer[-_\s]\s*\S+|[A-Za-z0-9_-]+\*{3}[A-Za-z0-9*_-]*|\*{3}[*_-]*[A-Za-z0-9]+|[A-Za-z0-9*_-]{32,}"
)


def harmless(said: str) -> str:
    """`said` in one line, without markup, addresses and anything like a key. Cut an endless one first."""
    said = _KEY_LIKE.sub("[hidden]", _ADDRESS.sub("[address]", _MARKUP.sub(" ", said)))
    return " ".join("".join(each if each.isprintable() else " " for each in said).split())
