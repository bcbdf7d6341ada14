"""What proves to a provider that a call is its owner's: a key where the API has it, or the login of a plan.

The logins of plans are used as the products do that they belong to; what the box sends in their place is
worthless.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from sidecar.gate import wires
from sidecar.protocol import login
from sidecar.protocol.frames import Provider

Headers = list[tuple[bytes, bytes]]

_WORD = re.compile(r"[\x21-\x7e]{1,4096}")
_BETA = b"anthropic-beta"
_CLAUDE_BETA = b"oauth-2025-04-20"
"""Without it Anthropic's API takes a token of a plan for a wrong key."""


class Unusable(Exception):
    """What is kept as the key or login of this provider cannot be one."""


@dataclass(frozen=True)
class Credential:
    """`secret` must not be seen by the box; `headers` stand for those of the same names that it sent."""

    secret: str = field(default="", repr=False)
    headers: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)

    def put_into(self, headers: Iterable[tuple[bytes, bytes]]) -> Headers:
        """A request's headers with the proof in them."""
        given = list(headers)
        names = {name for name, _ in self.headers}
        betas = [value for name, value in given if name == _BETA] if _BETA in names else []
        kept = [pair for pair in given if pair[0] not in names]
        return kept + [
            (name, _joined(betas, value) if name == _BETA else value) for name, value in self.headers
        ]


def read(provider: Provider, key: str) -> Credential:
    """The proof for `provider` in what is kept for it. Unusable when there is none in it."""
    if not _WORD.fullmatch(key):
        raise Unusable
    if provider.login == "claude":
        return Credential(key, (_bearer(key), (_BETA, _CLAUDE_BETA)))
    if provider.login == "chatgpt":
        try:
            plan = login.unpack(key)
        except login.LoginError:
            raise Unusable from None
        account = (b"chatgpt-account-id", plan.account_id.encode())
        return Credential(plan.access_token, (_bearer(plan.access_token), account))
    return Credential(key, (wires.key_header(provider, key),))


def _bearer(token: str) -> tuple[bytes, bytes]:
    return b"authorization", b"Bearer " + token.encode()


def _joined(betas: list[bytes], needed: bytes) -> bytes:
    """The agent's own wishes stay, for it reads the answers that they lead to."""
    wished = [word.strip() for value in betas for word in value.split(b",")]
    return b",".join(dict.fromkeys([*filter(None, wished), needed]))
