"""Token counts out of answers as the providers document them (tests/fixtures/wires), cut at every byte."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.gate.usage import Counts, Meter, Reading
from sidecar.gate.wires import WIRES, WireName

FOLDER = Path(__file__).parents[2] / "fixtures" / "wires"
CASES = json.loads((FOLDER / "expected.json").read_text())


def read(wire: WireName, pieces: list[bytes], *, is_stream: bool) -> Reading:
    meter = Meter(wire, is_stream=is_stream)
    for piece in pieces:
        meter.feed(piece)
    meter.finish()
    return meter.reading


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_counts_of_a_documented_answer(name: str) -> None:
    case: dict[str, Any] = CASES[name]
    answer, is_stream = (FOLDER / name).read_bytes(), name.endswith(".sse")
    for cut in range(len(answer) + 1):
        reading = read(case["wire"], [answer[:cut], answer[cut:]], is_stream=is_stream)
        counts = [
            reading.counts.input,
            reading.counts.output,
            reading.counts.cached,
            reading.counts.reasoning,
        ]
        assert counts == case["counts"], cut
        assert (reading.model, reading.ended) == (case["model"], True)
        assert not reading.malformed
        assert reading.error is None


@pytest.mark.parametrize("name", sorted(name for name in CASES if name.endswith(".sse")))
def test_a_stream_that_is_cut_is_not_taken_for_whole(name: str) -> None:
    answer = (FOLDER / name).read_bytes()
    first = re.search(rb"data: .*\r?\n\r?\n", answer)
    assert first is not None
    assert not read(CASES[name]["wire"], [answer[: first.end()]], is_stream=True).ended


NONSENSE = [
    b"data: null\n\n",
    b"data: 1\n\n",
    b'data: {"usage":7,"choices":{},"candidates":3,"usageMetadata":[]}\n\n',
    b'data: {"response":1,"message":"x","model":[],"promptFeedback":"x"}\n\n',
    b'data: {"type":"message_start","message":{"usage":{"input_tokens":-1,"output_tokens":"many"}}}\n\n',
    b'data: {"usage":{"prompt_tokens":1e30,"completion_tokens":true}}\n\n',
    b'data: {"usage":{"prompt_tokens":99999999999999999999,"completion_tokens":1}}\n\n',
    b'data: {"choices":[1,null,{"finish_reason":{}}]}\n\n',
    b'data: {"type":"response.completed","response":{"usage":{"input_tokens":{},"output_tokens":[]}}}\n\n',
]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_not_counted(wire: WireName, nonsense: bytes) -> None:
    assert read(wire, [nonsense], is_stream=True).counts == Counts()


NAMES = [
    *("usage", "choices", "type", "message", "response", "error", "model", "candidates", "usageMetadata"),
    *(
        "prompt_tokens",
        "completion_tokens",
        "input_tokens",
        "output_tokens",
        "promptTokenCount",
        "cached_tokens",
    ),
    "prompt_tokens_details",
]

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(WIRES)), _json, st.booleans())
def test_no_answer_breaks_the_meter(wire: WireName, value: object, is_stream: bool) -> None:
    encoded = json.dumps(value).encode()
    reading = read(wire, [b"data: " + encoded + b"\n\n" if is_stream else encoded], is_stream=is_stream)
    assert 0 <= reading.counts.cached <= max(reading.counts.input, 0)
    assert 0 <= reading.counts.reasoning <= max(reading.counts.output, 0)


@given(st.sampled_from(sorted(WIRES)), st.binary(max_size=80), st.booleans())
def test_no_bytes_break_the_meter(wire: WireName, data: bytes, is_stream: bool) -> None:
    read(wire, [data, b"\n\n"], is_stream=is_stream)


def test_an_anthropic_call_that_is_given_up_has_its_input_counted() -> None:
    answer = (FOLDER / "anthropic.sse").read_bytes()
    start = answer[: answer.index(b"\n\n") + 2]
    reading = read("anthropic", [start], is_stream=True)
    assert reading.counts.known
    assert reading.counts.input == CASES["anthropic.sse"]["counts"][0]


def test_what_was_written_to_a_cache_is_counted_apart() -> None:
    answer = (FOLDER / "anthropic.sse").read_bytes()
    counts = read("anthropic", [answer], is_stream=True).counts
    assert (counts.input, counts.cached, counts.written) == (1325, 1000, 300)
