"""The most that a call may cost, by what goes up: for calls whose provider never tells its numbers.

Only what the provider reads in the same way counts: a limit that it would overlook is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from sidecar.gate.wires import WireName

MOST_INPUT = 1_000_000
MOST_OUTPUT = 128 * 1024
"""Tokens: what the models take and give at most in one call."""

_MOST_ANSWERS = 128
_SHORT = 64 * 1024


@dataclass(frozen=True)
class Asked:
    """A model, the tokens that the call may cost, and whether the answer is to come as a stream."""

    model: str = ""
    input: int = 0
    output: int = 0
    is_stream: bool = False


class _Body(msgspec.Struct):
    """The fields that bound an answer; of other types than they should be they bound nothing."""

    model: msgspec.Raw = msgspec.Raw()
    max_tokens: msgspec.Raw = msgspec.Raw()
    max_completion_tokens: msgspec.Raw = msgspec.Raw()
    max_output_tokens: msgspec.Raw = msgspec.Raw()
    n: msgspec.Raw = msgspec.Raw()
    stream: msgspec.Raw = msgspec.Raw()
    generationConfig: msgspec.Raw = msgspec.Raw()
    generation_config: msgspec.Raw = msgspec.Raw()


def read(wire: WireName, path: str, body: bytes) -> Asked:
    """What a body that is a JSON object asks for at `path`. Nothing is read in fewer bytes than tokens."""
    said, path = msgspec.json.decode(body, type=_Body), path.partition("?")[0]
    model, answers, limit = _value(said.model), 1, 0
    if wire == "google":
        model = path.removeprefix("models/").partition(":")[0]
        # Both spellings are theirs.
        for config in (_value(said.generationConfig), _value(said.generation_config)):
            if isinstance(config, dict):
                limit = max(limit, *(_number(config.get(name)) for name in _GOOGLE_LIMITS))
                answers = max(answers, *(_number(config.get(name)) for name in _GOOGLE_ANSWERS))
    elif path == "responses":
        limit = _number(_value(said.max_output_tokens))
    else:
        limit = _number(_value(said.max_tokens))
        # Some obey the newer name, where there are both; alone, not all do.
        if limit and bytes(said.max_completion_tokens) not in (b"", b"null"):
            limit = max(limit, _number(_value(said.max_completion_tokens)) or MOST_OUTPUT)
        answers = max(answers, _number(_value(said.n)))
    each = min(limit, MOST_OUTPUT) if limit > 0 else MOST_OUTPUT
    return Asked(
        model=model[:200] if isinstance(model, str) else "",
        input=min(len(body), MOST_INPUT),
        output=each * min(answers, _MOST_ANSWERS),
        is_stream=_value(said.stream) is True or path.endswith(":streamGenerateContent"),
    )


_GOOGLE_LIMITS = ("maxOutputTokens", "max_output_tokens")
_GOOGLE_ANSWERS = ("candidateCount", "candidate_count")


def _value(raw: msgspec.Raw) -> Any:
    """None for what is not there, or so long that it says none of this."""
    if not 0 < len(bytes(raw)) <= _SHORT:
        return None
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _number(value: object) -> int:
    return value if type(value) is int and value > 0 else 0
