"""Kept output as text and as a recording: no escape sequence survives, times and sizes are in place."""

from __future__ import annotations

import base64
import json
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from openagent.lib.errors import AppError
from sessions_app import relay
from sessions_app.models import Session, Terminal, TerminalState
from sessions_app.services import transcripts
from sessions_app.services.transcripts import Kept, NotRecorded
from sidecar.protocol.terminals import TerminalSaved
from tests.sessions_app.conftest import make_terminal


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain\r\nlines\r\n", "plain\nlines\n"),
        (b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b]8;;http://a\x1b\\y", "red xy"),
        (b"10%\r50%\r100%\r\ndone", "100%\ndone"),
        (b"\x1bP$qm\x1b\\a\x1b_apc\x1b\\b\x1b^pm\x1b\\c", "abc"),
        (b"bell\x07 back\x08 nul\x00 c1\xc2\x9b31m", "bell back nul c131m"),
        (b"\xff\xfe caf\xc3\xa9", "\ufffd\ufffd caf\u00e9"),
        (b"cut \x1b]52;c;AAAA", "cut "),
    ],
)
def test_text_has_no_escape_sequence_and_no_control_character(data: bytes, text: str) -> None:
    assert transcripts.as_text(data) == text


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (0, 3, "abc"),
        (0, 0, "abc"),
        (0, 9, "abc\n[Later output is not here.]\n"),
        (5, 8, "[Earlier output is not here.]\nabc"),
    ],
)
def test_text_that_is_not_the_whole_says_so(start: int, end: int, text: str) -> None:
    assert transcripts.whole_text(Kept(start=start, data=b"abc", end=end)) == text


def test_a_recording_has_times_sizes_and_whole_characters() -> None:
    terminal = Terminal(title="T", rows=24, cols=80, is_recorded=True)
    kept = Kept(
        start=10,
        data="abc\u00e9fgh".encode(),
        sizes=[(0, 24, 80), (15, 30, 90)],
        times=[(5, 1000), (14, 1500), (17, 3000)],
    )
    head, *lines = [json.loads(line) for line in transcripts.as_recording(terminal, kept).splitlines()]
    assert (head["version"], head["width"], head["height"]) == (2, 80, 24)
    assert "".join(line[2] for line in lines if line[1] == "o") == "abc\u00e9fgh"
    assert [line for line in lines if line[1] == "r"] == [[0.5, "r", "90x30"]]
    assert [line[0] for line in lines] == sorted(line[0] for line in lines)


def test_without_recording_there_is_none() -> None:
    with pytest.raises(NotRecorded):
        transcripts.as_recording(Terminal(rows=24, cols=80), Kept(data=b"x", times=[(0, 1)]))


def test_a_sidecar_that_answers_without_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    patiences: list[float] = []

    def query(session: uuid.UUID, verb: str, data: dict[str, Any], *, timeout: float = 20) -> dict[str, Any]:
        nonlocal now
        patiences.append(timeout)
        if timeout <= 0 or len(patiences) > 5:
            raise AppError("box_silent", "The box did not answer in time; try again.", 504)
        now += 10
        return {"offset": data["offset"], "end": 10**6, "data": base64.b64encode(b"x").decode()}

    monkeypatch.setattr(transcripts, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(relay, "query", query)
    with pytest.raises(AppError) as refused:
        transcripts.read(Terminal(session_id=uuid.uuid4(), state=TerminalState.OPEN, rows=24, cols=80))
    assert refused.value.code == "box_silent"
    assert patiences == [30, 20, 10, 0]


def test_a_sidecar_that_cuts_what_it_saves_into_crumbs_has_few_of_them_kept(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcripts, "MAX_PIECES", 3)
    terminal = make_terminal(session, state="closed", reason="exited")
    answers = []
    for offset, crumb in enumerate([b"a", b"b", b"c", b"d", b"e"]):
        saved = TerminalSaved(terminal=str(terminal.pk), start=0, end=9, offset=offset, data=crumb)
        answers.append(transcripts.store(session_id=session.pk, saved=saved).offset)
    assert answers == [1, 2, 3, 9, 9], "What is left out is acknowledged as a whole."
    terminal.refresh_from_db()
    assert transcripts.whole_text(transcripts.stored(terminal)) == "abc\n[Later output is not here.]\n"
