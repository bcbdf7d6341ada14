"""Numbers that no column holds, and sizes that no screen has, are refused where they arrive."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from sidecar.protocol import frames, messages, terminals
from tests.sidecar.protocol.test_golden import FRAMES

FIELDS = {
    "hello": ("gen", "last_seq", "last_command"),
    "salvage": ("gen",),
    "command.done": ("number",),
    "stage": ("elapsed_ms",),
    "terminal.saved": ("start", "end", "offset"),
}
TELLS: dict[str, dict[str, Any]] = {
    "hello": {"offset": 0, "reset": False, "live_from": 0, "input": 0, "rows": 24, "cols": 80},
    "reset": {"offset": 0},
    "size": {"offset": 0, "rows": 24, "cols": 80},
    "input": {"offset": 0},
    "exit": {"offset": 0, "reason": "exited", "exit_code": -9},
}
NO_SIZES = (
    *((0, 80), (-1, 80), (terminals.MAX_ROWS + 1, 80)),
    *((24, 1), (24, terminals.MAX_COLS + 1), (2**70, 2)),
)


def of_type(tag: str) -> dict[str, Any]:
    return next(frame for frame in FRAMES["up"].values() if frame["type"] == tag)


def tell(**said: Any) -> str:
    return json.dumps({"type": "terminal.tell", "viewer": 1, "tell": said})


def refused(frame: str) -> None:
    with pytest.raises(frames.FrameError):
        frames.decode_up(frame)


@pytest.mark.parametrize(("tag", "field"), [(tag, field) for tag in FIELDS for field in FIELDS[tag]])
@pytest.mark.parametrize("number", [2**63, 2**70, -1])
def test_a_number_that_fits_no_column_is_no_frame(tag: str, field: str, number: int) -> None:
    frames.decode_up(json.dumps(of_type(tag)))
    refused(json.dumps({**of_type(tag), field: number}))


@pytest.mark.parametrize("field", ["seq", "gen"])
def test_nor_is_one_with_such_an_event(field: str) -> None:
    salvage = of_type("salvage")
    event = {**of_type("events")["events"][0], field: 2**63}
    refused(json.dumps({**salvage, "events": [event]}))


@pytest.mark.parametrize("tag", TELLS)
def test_what_a_viewer_is_told_has_an_offset_that_a_message_can_carry(tag: str) -> None:
    frames.decode_up(tell(type=tag, **TELLS[tag]))
    refused(tell(type=tag, **{**TELLS[tag], "offset": 2**63}))


@pytest.mark.parametrize(("rows", "cols"), NO_SIZES)
def test_a_size_that_no_terminal_has_is_told_to_nobody(rows: int, cols: int) -> None:
    assert not terminals.is_size(rows, cols)
    for tag in ("hello", "size"):
        refused(tell(type=tag, **{**TELLS[tag], "rows": rows, "cols": cols}))
    viewer = {"id": 1, "name": "Ada", "rows": rows, "cols": cols}
    refused(tell(type="viewers", you=1, leader=1, typist=None, viewers=[viewer]))
    refused(json.dumps({**of_type("terminal.saved"), "sizes": [[0, rows, cols]]}))
    with pytest.raises(msgspec.ValidationError):
        piece = {"offset": 0, "end": 0, "data": "", "sizes": [[0, rows, cols]]}
        msgspec.convert(piece, terminals.TerminalPiece)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("message.delta", {"part_id": "p", "offset": -1, "text": ""}),
        ("message.delta", {"part_id": "p", "offset": 2**63, "text": ""}),
        ("tool.output", {"tool_call_id": "c", "offset": 0, "text": "", "omitted": 2**63}),
        ("message.done", {"part_id": "p", "length": 2**63}),
        ("terminal.closed", {"terminal_id": "t", "reason": "exited", "exit_code": 2**31}),
    ],
)
def test_data_with_such_a_number_is_not_stored(kind: str, data: dict[str, Any]) -> None:
    with pytest.raises(messages.MessageError):
        messages.check_data(kind, data)
