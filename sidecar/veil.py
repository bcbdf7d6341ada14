"""Keeps a secret that the box has out of a session's events, also where it is spread over pieces of a text.

Stars stand for it, as many as it has characters: pieces of text are counted in characters. This is against
accidents. Whoever means to get it out of the box can dress it up as no list of forms knows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from sidecar import forms
from sidecar.agents import text as texts
from sidecar.protocol import messages

_Piece = messages.TextDelta | messages.ToolOutput
_ENDS = frozenset({"turn.ended", "instance.stopped"})
_FINAL = frozenset({"completed", "failed", "rejected", "interrupted"})


@dataclass(frozen=True, slots=True)
class Passing:
    """An event on its way."""

    kind: str
    data: messages.Data
    turn: str | None


class Veil:
    """Changes nothing until something is to be hidden. Then the end of a text that may be the beginning of a
    secret waits for what comes next of the same text.

    Where nothing comes next, or all of the text comes again, a part of a secret at its end or beginning is
    veiled unless it is so short that it may stand there by chance.
    """

    def __init__(self) -> None:
        self._forms: list[str] = []
        self._pattern: re.Pattern[str] | None = None
        self._held: dict[tuple[str, str], Passing] = {}

    def hide(self, secret: str) -> None:
        """No event will show `secret` from now on, in any of the forms that it may take."""
        # The longest first: one form may begin as another does.
        self._forms = sorted({*self._forms, *forms.of(secret)}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._forms))) if self._forms else None

    def over(self, kind: str, data: messages.Data, turn: str | None) -> list[Passing]:
        """The event without any secret, after what waited for it. MessageError when nobody can read it."""
        if self._pattern is None:
            return [Passing(kind, data, turn)]
        if isinstance(data, _Piece):
            return self._over_piece(kind, data, turn)
        try:
            return [*self._ended_by(kind, data), Passing(kind, self._masked(data), turn)]
        except RecursionError as error:
            raise messages.MessageError("data has no JSON form") from error

    def veiled(self, text: str) -> str:
        """A text of its own without any secret, nor a part of one where it was cut."""
        if self._pattern is None:
            return text
        whole = self._without_whole(text)
        mark = texts.CUT.search(whole)
        said, rest = (whole[: mark.start()], mark[0]) if mark else (whole, "")
        return self._without_begun(self._without_ended(said)) + rest

    def _over_piece(self, kind: str, data: _Piece, turn: str | None) -> list[Passing]:
        key = (kind, _id(data))
        passing: list[Passing] = []
        held = self._held.pop(key, None)
        if held is not None and isinstance(held.data, _Piece):
            if _follows(held.data, data):
                data = msgspec.structs.replace(held.data, text=held.data.text + data.text)
            else:
                passing.append(self._let_go(held))
        text = self._without_whole(data.text)
        if _has_hole(data):
            text = self._without_ended(text)
        size = len(text) - self._beginning(text)
        if size or not text:
            passing.append(Passing(kind, msgspec.structs.replace(data, text=text[:size]), turn))
            data = _continued(data, size)
        if text[size:]:
            self._held[key] = Passing(kind, msgspec.structs.replace(data, text=text[size:]), turn)
        return passing

    def _ended_by(self, kind: str, data: messages.Data) -> list[Passing]:
        """What waited for more of a text of which no more comes."""
        if kind in _ENDS:
            ended = list(self._held)
        elif isinstance(data, messages.TextDone):
            ended = [(kind.replace(".done", ".delta"), data.part_id)]
        elif isinstance(data, messages.ToolUpsert) and data.status in _FINAL:
            ended = [("tool.output", data.tool_call_id)]
        else:
            ended = []
        return [self._let_go(self._held.pop(key)) for key in ended if key in self._held]

    def _let_go(self, held: Passing) -> Passing:
        """What waited in vain."""
        assert isinstance(held.data, _Piece)
        text = self._without_begun(held.data.text)
        return Passing(held.kind, msgspec.structs.replace(held.data, text=text), held.turn)

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.veiled(value)
        if isinstance(value, list):
            return [self._masked(item) for item in value]
        if isinstance(value, dict):
            return {self._masked(key): self._masked(item) for key, item in value.items()}
        if isinstance(value, msgspec.Struct):
            fields = {name: self._masked(getattr(value, name)) for name in value.__struct_fields__}
            return msgspec.structs.replace(value, **fields)
        return value

    def _without_whole(self, text: str) -> str:
        assert self._pattern is not None
        return self._pattern.sub(lambda found: "*" * len(found[0]), text)

    def _without_begun(self, text: str) -> str:
        size = self._beginning(text)
        return text[: len(text) - size] + "*" * size if size >= forms.SHORTEST else text

    def _without_ended(self, text: str) -> str:
        size = max(_overlap(text[::-1], form[::-1]) for form in self._forms)
        return "*" * size + text[size:] if size >= forms.SHORTEST else text

    def _beginning(self, text: str) -> int:
        """How many of the last characters are a beginning of a secret."""
        return max(_overlap(text, form) for form in self._forms)


def _id(data: _Piece) -> str:
    return data.part_id if isinstance(data, messages.TextDelta) else data.tool_call_id


def _follows(held: _Piece, data: _Piece) -> bool:
    """Whether nothing is missing between them."""
    return data.offset == held.offset + len(held.text) and not _has_hole(data)


def _has_hole(data: _Piece) -> bool:
    """Whether something is missing before it."""
    return isinstance(data, messages.ToolOutput) and (data.omitted > 0 or data.gap)


def _continued(data: _Piece, size: int) -> _Piece:
    if isinstance(data, messages.ToolOutput):
        return msgspec.structs.replace(data, offset=data.offset + size, omitted=0, gap=False)
    return msgspec.structs.replace(data, offset=data.offset + size)


def _overlap(text: str, form: str) -> int:
    longest = min(len(form) - 1, len(text))
    return next((size for size in range(longest, 0, -1) if form.startswith(text[-size:])), 0)
