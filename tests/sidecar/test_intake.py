"""What an agent says is stored as it is, or cleaned, split, cut or refused: never stored broken."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar import intake
from sidecar.protocol import coalesce, messages

PERMISSION = "7f1b7a52-3d0c-4f0e-9a55-0d6f6b1f0c02"


def only(kind: str, data: messages.Data) -> messages.Data:
    (admitted,) = intake.admit(kind, data)
    return admitted.data


def test_what_fits_stays_as_it_is() -> None:
    data = messages.ToolUpsert(tool_call_id="t", status="completed", input={"a": [1, None, "é😀"]})
    admitted = only("tool.upsert", data)
    assert admitted == data and admitted is not data


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("message.delta", messages.TextDelta(part_id="p", offset="0", text="x")),  # type: ignore[arg-type]
        ("message.delta", messages.Plan(entries=[])),
        ("message.shouted", messages.Plan(entries=[])),
        ("permission.asked", messages.PermissionAsked(permission_id="per_1", type="tool", title="x")),
        ("tool.upsert", messages.ToolUpsert(tool_call_id="t", input={"n": object()})),
    ],
)
def test_what_does_not_fit_is_refused(kind: str, data: messages.Data) -> None:
    with pytest.raises(messages.MessageError):
        intake.admit(kind, data)


def test_an_object_that_contains_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    with pytest.raises(messages.MessageError):
        intake.admit("tool.upsert", messages.ToolUpsert(tool_call_id="t", input=loop))


def test_characters_that_cannot_be_stored_are_replaced_one_for_one() -> None:
    data = messages.TextDelta(part_id="p", offset=4, text="a\x00b\ud800c")
    assert only("message.delta", data) == messages.TextDelta(part_id="p", offset=4, text="a\ufffdb?c")
    upsert = messages.ToolUpsert(tool_call_id="t", input={"k\x00": ["\x00"]})
    assert only("tool.upsert", upsert) == messages.ToolUpsert(tool_call_id="t", input={"k\ufffd": ["\ufffd"]})


def test_a_backslash_before_u0000_is_no_control_character() -> None:
    data = messages.TextDelta(part_id="p", offset=0, text="\\u0000")
    assert only("message.delta", data) == data


def test_what_would_break_a_reader_is_replaced() -> None:
    deep: Any = "bottom"
    for _ in range(300):
        deep = [{"deeper": deep}]
    data = messages.ToolUpsert(tool_call_id="t", input={"n": -(1 << 70), "m": 1 << 62, "deep": deep})
    admitted = only("tool.upsert", data)
    assert isinstance(admitted, messages.ToolUpsert) and admitted.input is not None
    assert admitted.input["n"] == "[a number of 71 bits]" and admitted.input["m"] == 1 << 62
    assert json.dumps(admitted.input).count("deeper") < 40


def test_a_long_text_is_split_without_loss() -> None:
    text = "😀é" * coalesce.MAX_DELTA_CHARACTERS
    pieces = intake.admit(
        "tool.output", messages.ToolOutput(tool_call_id="t", offset=7, text=text, omitted=3, gap=True)
    )
    rebuilt = ""
    for number, piece in enumerate(pieces):
        data = piece.data
        assert isinstance(data, messages.ToolOutput)
        assert data.offset == 7 + len(rebuilt)
        assert (data.omitted, data.gap) == ((0, False) if number else (3, True))
        assert piece.size < intake.MAX_EVENT_BYTES
        rebuilt += data.text
    assert rebuilt == text


def test_long_values_are_cut_with_a_marker() -> None:
    data = messages.ToolUpsert(
        tool_call_id="t",
        input={"content": "x" * 1_000_000},
        diffs=[messages.Diff(path="p", patch="y" * 100)],
    )
    cut = only("tool.upsert", data)
    assert isinstance(cut, messages.ToolUpsert) and cut.input is not None
    assert cut.input["content"].endswith("characters cut]") and cut.diffs == data.diffs


def test_too_many_values_are_cut_too() -> None:
    entries = [messages.PlanEntry(content="step") for _ in range(100_000)]
    cut = only("plan", messages.Plan(entries=entries))
    assert isinstance(cut, messages.Plan) and 0 < len(cut.entries) < 5000
    crowd = messages.ToolUpsert(tool_call_id="t", input={f"key {n}": {"a": n} for n in range(100_000)})
    admitted = only("tool.upsert", crowd)
    assert isinstance(admitted, messages.ToolUpsert) and admitted.input


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(), max_size=20)),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(st.characters()), inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(content=VALUES, repeat=st.sampled_from([1, 4_000]))
def test_whatever_is_admitted_can_be_stored(content: Any, repeat: int) -> None:
    data = messages.ToolUpsert(tool_call_id="t", input={"content": content, "many": [content] * repeat})
    try:
        admitted = intake.admit("tool.upsert", data)
    except messages.MessageError:
        return
    for each in admitted:
        raw = json.dumps(messages.to_data(each.data))
        assert "\\u0000" not in raw.replace("\\\\", "")
        json.dumps(messages.to_data(each.data), ensure_ascii=False).encode()
        assert each.size <= intake.MAX_EVENT_BYTES
        messages.check_data("tool.upsert", messages.to_data(each.data))
