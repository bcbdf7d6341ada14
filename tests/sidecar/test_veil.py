"""A secret that the box has stands in no event, whole or in pieces, and everything else comes as it was."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import pytest

from sidecar import forms
from sidecar.agents.text import clip, line
from sidecar.forms import SHORTEST
from sidecar.protocol import messages
from sidecar.veil import Veil

SECRET = "github_pat_CANARY0123456789abcdef"
TEXT = f"one {SECRET} two {base64.b64encode(SECRET.encode()).decode()} three {SECRET}"
FORMS = sorted(forms.of(SECRET))
CUT_NOTE = "\n… [123 more characters]"


@pytest.fixture
def veil() -> Veil:
    made = Veil()
    made.hide(SECRET)
    return made


def texts(veil: Veil, *events: tuple[str, messages.Data]) -> dict[tuple[str, str], str]:
    """What a reader puts together who writes each piece at its offset."""
    read: dict[tuple[str, str], str] = {}
    for kind, data in events:
        for passing in veil.over(kind, data, "t"):
            piece: Any = passing.data
            if isinstance(piece, messages.TextDelta | messages.ToolOutput):
                key = (passing.kind, getattr(piece, "part_id", "") or getattr(piece, "tool_call_id", ""))
                before = read.get(key, "")
                assert piece.offset == len(before), "no hole, and nothing twice"
                read[key] = before + piece.text
    return read


def deltas(part: str, text: str, size: int) -> list[tuple[str, messages.Data]]:
    return [
        ("message.delta", messages.TextDelta(part_id=part, offset=at, text=text[at : at + size]))
        for at in range(0, len(text), size)
    ]


@pytest.mark.parametrize("size", [1, 2, 5, 17, 1000])
def test_however_a_text_is_cut_the_secret_does_not_pass(veil: Veil, size: int) -> None:
    done = ("message.done", messages.TextDone(part_id="p", length=len(TEXT)))
    (read,) = texts(veil, *deltas("p", TEXT, size), done).values()
    assert len(read) == len(TEXT) and read.startswith("one ***") and " two *" in read and " three *" in read
    assert SECRET not in read and base64.b64encode(SECRET.encode()).decode()[4:40] not in read


def test_texts_that_come_by_turns_do_not_disturb_each_other(veil: Veil) -> None:
    pairs = zip(deltas("one", TEXT, 3), deltas("other", TEXT, 3), strict=True)
    ended = ("turn.ended", messages.TurnEnded(stop_reason="end_turn"))
    read = texts(veil, *itertools.chain(*pairs), ended)
    assert {key[1] for key in read} == {"one", "other"} and len(set(read.values())) == 1
    assert all(SECRET not in text and len(text) == len(TEXT) for text in read.values())


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_what_only_began_like_it_comes_when_its_tool_is_done(veil: Veil, status: Any) -> None:
    output = messages.ToolOutput(tool_call_id="c", offset=0, text="it ends in gith", omitted=7)
    (first,) = veil.over("tool.output", output, "t")
    assert first.data == messages.ToolOutput(tool_call_id="c", offset=0, text="it ends in ", omitted=7)
    assert len(veil.over("tool.upsert", messages.ToolUpsert(tool_call_id="c", title="x"), "t")) == 1
    rest, _ = veil.over("tool.upsert", messages.ToolUpsert(tool_call_id="c", status=status), "t")
    assert rest.data == messages.ToolOutput(tool_call_id="c", offset=11, text="gith") and rest.turn == "t"


def test_pieces_with_a_hole_between_them_are_not_put_together(veil: Veil) -> None:
    veil.over("tool.output", messages.ToolOutput(tool_call_id="c", offset=0, text=SECRET[:4]), "t")
    after = messages.ToolOutput(tool_call_id="c", offset=4, text="and on!", omitted=3)
    before, piece = veil.over("tool.output", after, "t")
    assert (before.data.text, piece.data) == (SECRET[:4], after)  # type: ignore[attr-defined]


@pytest.mark.parametrize("form", FORMS)
def test_wherever_a_text_is_cut_for_good_no_part_of_the_secret_is_left(veil: Veil, form: str) -> None:
    for at in range(len(form) + 1):
        begun, ended = f"it said {form[:at]}", f"{form[at:]} it said"
        cut = clip(f"{form} and much more, {'x' * 99}", at + len(CUT_NOTE))
        upsert = messages.ToolUpsert(
            tool_call_id="c", title=line(form, at + 1), input={"a": begun, "b": [cut]}, error=ended
        )
        events: list[tuple[str, messages.Data]] = [
            ("message.delta", messages.TextDelta(part_id="p", offset=0, text=begun)),
            ("message.done", messages.TextDone(part_id="p", length=len(begun))),
            ("tool.output", messages.ToolOutput(tool_call_id="c", offset=0, text=begun)),
            ("tool.output", messages.ToolOutput(tool_call_id="c", offset=99, text=ended, gap=True)),
            ("tool.upsert", messages.ToolUpsert(tool_call_id="c", status="in_progress", input={"a": begun})),
            ("tool.upsert", upsert),
            ("plan", messages.Plan(entries=[messages.PlanEntry(content=begun)])),
            ("turn.ended", messages.TurnEnded(stop_reason="interrupted")),
        ]
        passed = [passing.data for kind, data in events for passing in veil.over(kind, data, "t")]
        shown = " ".join(map(str, passed)) + veil.veiled(begun) + veil.veiled(ended)
        assert not any(form[start : start + SHORTEST] in shown for start in range(len(form) - SHORTEST + 1))
        assert len(veil.veiled(begun)) == len(begun)


def test_what_may_stand_there_by_chance_is_left() -> None:
    veil = Veil()
    assert veil.veiled(f"{SECRET} git") == f"{SECRET} git"
    veil.hide(SECRET)
    assert veil.veiled("open git") == "open git"
    assert veil.veiled("open github") == "open ******"
    assert veil.veiled("the end: def") == "the end: def"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("tool.upsert", messages.ToolUpsert(tool_call_id="c", title=SECRET, input={"a": [{SECRET: SECRET}]})),
        ("error", messages.ErrorData(error_class="agent_crash", message=f"It wrote {SECRET}.")),
        ("plan", messages.Plan(entries=[messages.PlanEntry(content=SECRET)])),
        ("turn.started", messages.TurnStarted(prompt=f"Use {SECRET}")),
        (
            "permission.asked",
            messages.PermissionAsked(permission_id="p", type="tool", title="t", command=f"echo {SECRET}"),
        ),
    ],
)
def test_it_stands_in_no_other_event_either(veil: Veil, kind: str, data: messages.Data) -> None:
    assert SECRET in str(messages.to_data(data))
    (passing,) = veil.over(kind, data, "t")
    assert SECRET not in str(messages.to_data(passing.data)) and type(passing.data) is type(data)
    assert "*" * len(SECRET) in str(messages.to_data(passing.data))


def test_lists_without_end_are_refused_as_they_are_without_a_secret(veil: Veil) -> None:
    endless: Any = []
    for _ in range(100_000):
        endless = [endless]
    with pytest.raises(messages.MessageError):
        veil.over("tool.upsert", messages.ToolUpsert(tool_call_id="c", input={"a": endless}), "t")


def test_without_a_secret_everything_passes_as_it_is() -> None:
    data = messages.TextDelta(part_id="p", offset=0, text=SECRET[:5])
    (passing,) = Veil().over("message.delta", data, None)
    assert passing.data is data
