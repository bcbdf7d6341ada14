"""The golden files that both ends of the protocol and the browser's code read alike."""

from __future__ import annotations

import json
import re
import typing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sidecar.protocol import coalesce, frames, messages

FOLDER = Path(__file__).parents[2] / "fixtures" / "protocol"


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


EVENTS = load("events")
FRAMES = load("frames")


@pytest.mark.parametrize("event", EVENTS["valid"], ids=lambda event: f"{event['kind']}-{event['seq']}")
def test_a_valid_event_is_kept_as_it_is(event: dict[str, Any]) -> None:
    envelope = msgspec.convert(event, messages.Event)
    assert msgspec.to_builtins(envelope) == event
    data = messages.check_data(envelope.kind, envelope.data)
    assert messages.check_data(envelope.kind, messages.to_data(data)) == data
    assert messages.to_data(data).items() <= event["data"].items()


@pytest.mark.parametrize("case", EVENTS["invalid"], ids=lambda case: str(case["why"]))
def test_an_invalid_event_is_refused_without_quoting_it(case: dict[str, Any]) -> None:
    with pytest.raises(messages.MessageError) as refused:
        messages.check_data(case["kind"], case["data"])
    assert "<b>" not in str(refused.value) and "bored" not in str(refused.value)


def test_every_kind_has_a_golden_event() -> None:
    assert {event["kind"] for event in EVENTS["valid"]} == set(messages.KINDS)


PAGE = Path(__file__).parents[3] / "frontend" / "src" / "protocol" / "events.ts"


def of_page(pattern: str) -> dict[str, str]:
    """What the page's types say: name and text of each declaration that the pattern matches."""
    found = dict(re.findall(pattern, PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE))
    assert found
    return found


def test_the_page_knows_the_words_of_each_vocabulary() -> None:
    types = of_page(r'^export type (\w+) =((?:\s*\|?\s*"\w+")+);$')
    assert set(types) >= {"ErrorClass", "PermissionChoice", "StopReason", "ToolKind", "ToolStatus"}
    for name, words in types.items():
        assert set(re.findall(r"\w+", words)) == set(typing.get_args(getattr(messages, name))), name


def test_the_page_knows_the_fields_of_each_kind_and_which_may_be_left_out() -> None:
    interfaces = of_page(r"^export interface (\w+) (\{.*?^\})$")
    kinds = of_page(r'^  "?([\w.]+)"?: (\{.*?\}|\w+);$')
    for kind, data in messages.KINDS.items():
        shape = interfaces.get(kinds[kind], kinds[kind])
        # Without what is nested, which has a name and an interface, or is two fields.
        flat = re.sub(r"\{[^{}]*\}", "", shape[1:-1])
        told = {name: bool(optional) for name, optional in re.findall(r"(\w+)(\??):", flat)}
        assert told == {field.encode_name: not field.required for field in msgspec.structs.fields(data)}, kind


@pytest.mark.parametrize("name", FRAMES["up"])
def test_a_frame_of_the_sidecar_reads_and_writes_the_same(name: str) -> None:
    frame = frames.decode_up(json.dumps(FRAMES["up"][name]))
    assert json.loads(frames.encode(frame)) == FRAMES["up"][name]


@pytest.mark.parametrize("name", FRAMES["down"])
def test_a_frame_of_the_platform_reads_and_writes_the_same(name: str) -> None:
    frame = frames.decode_down(json.dumps(FRAMES["down"][name]))
    assert json.loads(frames.encode(frame)) == FRAMES["down"][name]


def test_every_frame_and_every_command_is_golden() -> None:
    up, down = ({frame["type"] for frame in FRAMES[way].values()} for way in ("up", "down"))
    assert len(up) == len(frames.Up.__args__) and len(down) == len(frames.Down.__args__)
    commands = (
        FRAMES["down"]["commands, claim"]["commands"] + FRAMES["down"]["commands, all others"]["commands"]
    )
    assert {command["verb"] for command in commands} == frames.VERBS


@pytest.mark.parametrize("name", FRAMES["malformed_up"])
def test_malformed_bytes_of_a_sidecar_are_refused(name: str) -> None:
    with pytest.raises(frames.FrameError):
        frames.decode_up(FRAMES["malformed_up"][name])


@pytest.mark.parametrize("name", FRAMES["malformed_down"])
def test_malformed_bytes_of_the_platform_are_refused(name: str) -> None:
    with pytest.raises(frames.FrameError):
        frames.decode_down(FRAMES["malformed_down"][name])


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe", b"\x00", b'{"type":"ack","seq":1', "\ud800", b" " * (1 << 20) + b"1"]
)
def test_bytes_that_are_no_text_are_refused(raw: bytes | str) -> None:
    for decode in (frames.decode_up, frames.decode_down):
        with pytest.raises(frames.FrameError):
            decode(raw)


def test_a_deeply_nested_frame_is_refused() -> None:
    with pytest.raises(frames.FrameError):
        frames.decode_up('{"type":"answer","id":"1","data":' + '{"a":' * 50_000 + "1" + "}" * 50_001)


@pytest.mark.parametrize("case", load("texts"), ids=lambda case: str(case["name"]))
def test_merged_pieces_of_text_still_give_the_text(case: dict[str, Any]) -> None:
    queue = coalesce.Coalescer()
    for offset, text in case["deltas"]:
        delta = messages.TextDelta(part_id="p", offset=offset, text=text)
        queue.add("message.delta", delta, turn=None, size=len(text))
    assert queue.count <= len(case["deltas"])
    text = ""
    while queue.count:
        data = queue.take().data
        assert isinstance(data, messages.TextDelta)
        end = data.offset + len(data.text)
        text = text[: data.offset] + data.text + text[end:]
    assert text == case["text"]
