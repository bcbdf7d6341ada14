"""Merging drafts: what adjoins becomes one, and folding the result always gives what the original gives."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.protocol import coalesce, messages

TURN = "00000000-0000-4000-8000-000000000001"


def delta(part: str, offset: int, text: str, parent: str = "") -> messages.TextDelta:
    return messages.TextDelta(part_id=part, offset=offset, text=text, parent_tool_call_id=parent)


def coalesced(*events: tuple[str, messages.Data]) -> list[tuple[str, messages.Data]]:
    queue = coalesce.Coalescer()
    for kind, data in events:
        queue.add(kind, data, turn=TURN, size=10)
    return drain(queue)


def drain(queue: coalesce.Coalescer) -> list[tuple[str, messages.Data]]:
    drained = []
    while queue.count:
        draft = queue.take()
        drained.append((draft.kind, draft.data))
    assert queue.size == 0
    return drained


def test_adjoining_pieces_of_one_text_become_one() -> None:
    assert coalesced(
        ("message.delta", delta("p", 0, "Hel")),
        ("message.delta", delta("p", 3, "lo")),
    ) == [("message.delta", delta("p", 0, "Hello"))]


def test_offsets_count_code_points() -> None:
    assert coalesced(
        ("message.delta", delta("p", 0, "a😀é")),
        ("message.delta", delta("p", 3, "👩‍👧")),
        ("message.delta", delta("p", 6, "!")),
    ) == [("message.delta", delta("p", 0, "a😀é👩‍👧!"))]


def test_texts_of_two_parts_are_merged_each_for_itself() -> None:
    assert coalesced(
        ("message.delta", delta("a", 0, "1")),
        ("thought.delta", delta("a", 0, "x")),
        ("message.delta", delta("b", 0, "2")),
        ("message.delta", delta("a", 1, "3")),
        ("thought.delta", delta("a", 1, "y")),
    ) == [
        ("message.delta", delta("a", 0, "13")),
        ("thought.delta", delta("a", 0, "xy")),
        ("message.delta", delta("b", 0, "2")),
    ]


@pytest.mark.parametrize(
    "second",
    [
        delta("p", 4, "lo"),  # a hole
        delta("p", 2, "lo"),  # an overlap
        delta("p", 3, "lo", parent="call_1"),  # of a sub-agent
        delta("p", 3, "l" * coalesce.MAX_DELTA_CHARACTERS),  # too long
    ],
)
def test_pieces_that_do_not_fit_stay_apart(second: messages.TextDelta) -> None:
    first = delta("p", 0, "Hel")
    assert coalesced(("message.delta", first), ("message.delta", second)) == [
        ("message.delta", delta("p", 0, "Hel")),
        ("message.delta", second),
    ]


@pytest.mark.parametrize("left_out", [{"omitted": 100}, {"gap": True}])
def test_output_with_something_left_out_before_it_stays_apart(left_out: dict[str, Any]) -> None:
    first = messages.ToolOutput(tool_call_id="t", offset=0, text="ab")
    second = messages.ToolOutput(tool_call_id="t", offset=2, text="cd", **left_out)
    assert len(coalesced(("tool.output", first), ("tool.output", second))) == 2


@pytest.mark.parametrize("kind", ["turn.ended", "permission.asked", "error"])
def test_no_text_crosses_what_begins_or_ends_something(kind: str) -> None:
    between: dict[str, messages.Data] = {
        "turn.ended": messages.TurnEnded(stop_reason="end_turn"),
        "permission.asked": messages.PermissionAsked(permission_id="1", type="tool", title="x"),
        "error": messages.ErrorData(error_class="internal", message="x"),
    }
    events = [
        ("message.delta", delta("p", 0, "a")),
        (kind, between[kind]),
        ("message.delta", delta("p", 1, "b")),
    ]
    assert coalesced(*events) == events


def test_a_finished_part_is_not_extended_but_others_are() -> None:
    result = coalesced(
        ("message.delta", delta("a", 0, "1")),
        ("message.delta", delta("b", 0, "1")),
        ("message.done", messages.TextDone(part_id="a", length=1)),
        ("message.delta", delta("a", 1, "2")),
        ("message.delta", delta("b", 1, "2")),
    )
    assert [kind for kind, _ in result] == ["message.delta", "message.delta", "message.done", "message.delta"]
    assert result[1] == ("message.delta", delta("b", 0, "12"))


def test_news_about_one_tool_call_are_put_together() -> None:
    assert coalesced(
        ("tool.upsert", messages.ToolUpsert(tool_call_id="t", name="bash", status="pending", title="a")),
        ("tool.output", messages.ToolOutput(tool_call_id="t", offset=0, text="out")),
        ("tool.upsert", messages.ToolUpsert(tool_call_id="t", status="completed", duration_ms=3)),
        ("tool.upsert", messages.ToolUpsert(tool_call_id="u", status="pending")),
    ) == [
        (
            "tool.upsert",
            messages.ToolUpsert(tool_call_id="t", name="bash", status="completed", title="a", duration_ms=3),
        ),
        ("tool.output", messages.ToolOutput(tool_call_id="t", offset=0, text="out")),
        ("tool.upsert", messages.ToolUpsert(tool_call_id="u", status="pending")),
    ]


def test_a_newer_plan_replaces_and_counts_add_up() -> None:
    old, new = (messages.Plan(entries=[messages.PlanEntry(content=text)]) for text in ("old", "new"))
    suppressed = messages.Suppressed(kind="file.changed", count=1)
    assert coalesced(
        ("plan", old),
        ("events.suppressed", suppressed),
        ("plan", new),
        ("events.suppressed", copy.copy(suppressed)),
    ) == [("plan", new), ("events.suppressed", messages.Suppressed(kind="file.changed", count=2))]


def test_events_of_two_turns_are_never_merged() -> None:
    queue = coalesce.Coalescer()
    queue.add("message.delta", delta("p", 0, "a"), turn=TURN, size=1)
    queue.add("message.delta", delta("p", 1, "b"), turn=None, size=1)
    assert queue.count == 2


def test_what_was_taken_is_not_changed_any_more() -> None:
    queue = coalesce.Coalescer()
    queue.add("message.delta", delta("p", 0, "a"), turn=TURN, size=1)
    queue.add("plan", messages.Plan(entries=[]), turn=TURN, size=1)
    taken = queue.take()
    queue.add("message.delta", delta("p", 1, "b"), turn=TURN, size=1)
    assert taken.data == delta("p", 0, "a")
    assert [kind for kind, _ in drain(queue)] == ["plan", "message.delta"]


class Folded:
    """A small fold, enough to compare a stream of events with its coalesced form."""

    def __init__(self) -> None:
        self.texts: dict[tuple[str, str], str] = {}
        self.tools: dict[str, dict[str, object]] = {}
        self.plan: object = None
        self.barriers: list[str] = []

    def add(self, kind: str, data: messages.Data) -> None:
        if isinstance(data, messages.TextDelta | messages.ToolOutput):
            key = (kind, data.part_id if isinstance(data, messages.TextDelta) else data.tool_call_id)
            old = self.texts.get(key, "")
            assert data.offset <= len(old)
            self.texts[key] = old[: data.offset] + data.text + old[data.offset + len(data.text) :]
        elif isinstance(data, messages.ToolUpsert):
            self.tools.setdefault(data.tool_call_id, {}).update(messages.to_data(data))
        elif isinstance(data, messages.Plan):
            self.plan = messages.to_data(data)
        else:
            self.barriers.append(f"{kind} after {sorted(self.texts.items())}")


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("text"), st.sampled_from("abc"), st.text(max_size=6)),
        st.tuples(st.just("output"), st.sampled_from("tu"), st.text(max_size=6)),
        st.tuples(st.just("tool"), st.sampled_from("tu"), st.sampled_from(["pending", "completed"])),
        st.tuples(st.just("plan"), st.just(""), st.text(max_size=3)),
        st.tuples(st.just("barrier"), st.just(""), st.just("")),
        st.tuples(st.just("take"), st.just(""), st.just("")),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(actions=ACTIONS)
def test_folding_the_merged_events_gives_what_the_original_ones_give(
    actions: list[tuple[str, str, str]],
) -> None:
    queue, original, merged = coalesce.Coalescer(), Folded(), Folded()
    lengths: dict[tuple[str, str], int] = {}
    for action, name, value in actions:
        if action == "take":
            if queue.count:
                draft = queue.take()
                merged.add(draft.kind, draft.data)
            continue
        kind, data = _event(action, name, value, lengths)
        original.add(kind, copy.deepcopy(data))
        queue.add(kind, data, turn=TURN, size=10)
    for kind, data in drain(queue):
        merged.add(kind, data)
    assert vars(merged) == vars(original)


def _event(
    action: str, name: str, value: str, lengths: dict[tuple[str, str], int]
) -> tuple[str, messages.Data]:
    if action in ("text", "output"):
        offset = lengths.get((action, name), 0)
        lengths[action, name] = offset + len(value)
        if action == "text":
            return "message.delta", delta(name, offset, value)
        return "tool.output", messages.ToolOutput(tool_call_id=name, offset=offset, text=value)
    if action == "tool":
        status = messages.check_data("tool.upsert", {"tool_call_id": name, "status": value})
        return "tool.upsert", status
    if action == "plan":
        return "plan", messages.Plan(entries=[messages.PlanEntry(content=value)])
    return "error", messages.ErrorData(error_class="internal", message="")
