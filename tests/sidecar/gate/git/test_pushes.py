"""Pkt-lines and the commands of a push: what is read is what was written, and nothing else is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.gate.git import pkt_line, pushes
from sidecar.gate.git.pushes import Change, Push

OLD, NEW, NONE = b"1" * 40, b"2" * 40, b"0" * 40


@given(st.lists(st.binary(max_size=3000), max_size=8), st.binary(max_size=50))
def test_lines_are_read_as_they_were_written(payloads: list[bytes], rest: bytes) -> None:
    raw = b"".join(map(pkt_line.encode, payloads)) + pkt_line.FLUSH
    assert pkt_line.until_flush(raw + rest) == (payloads, len(raw))
    for cut in (0, len(raw) // 2, len(raw) - 1):
        assert pkt_line.until_flush(raw[:cut]) is None


@given(st.binary(max_size=400))
def test_whatever_comes_has_an_outcome(raw: bytes) -> None:
    try:
        found = pkt_line.until_flush(raw)
    except pkt_line.Malformed:
        return
    if found is not None:
        lines, end = found
        assert b"".join(map(pkt_line.encode, lines)) + b"0000" == raw[:end].lower() or lines


@pytest.mark.parametrize("raw", [b"0001", b"0002", b"0003", b"zzzz", b"+005a", b"ffff" + b"a" * 70000])
def test_what_is_no_length_is_malformed(raw: bytes) -> None:
    with pytest.raises(pkt_line.Malformed):
        pkt_line.until_flush(raw)


def test_a_push_is_read_with_its_capabilities() -> None:
    lines = [
        b"shallow " + OLD,
        OLD + b" " + NEW + b" refs/heads/a\0 report-status side-band-64k agent=git/2",
        OLD + b" " + NONE + b" refs/heads/b\n",
    ]
    changes = (Change("refs/heads/a", deletes=False), Change("refs/heads/b", deletes=True))
    assert pushes.read(lines) == Push(changes, has_sideband=True)
    assert pushes.read([]) == Push(())


@pytest.mark.parametrize(
    "lines",
    [
        [b"push-cert\0 report-status"],
        [OLD + b" " + NEW + b" refs/heads/a\0x", OLD + b" " + NEW + b" refs/heads/b\0x"],
        [OLD + b" " + NEW[:-1] + b" refs/heads/a"],
        [OLD + b" " + NEW + b" refs/heads/a b"],
        [OLD + b" " + NEW + b" refs/heads/a\nrefs/heads/b"],
        [OLD + b" " + NEW + b" "],
        [b""],
    ],
)
def test_what_is_not_understood_whole_is_malformed(lines: list[bytes]) -> None:
    with pytest.raises(pkt_line.Malformed):
        pushes.read(lines)


@pytest.mark.parametrize(
    ("ref", "patterns", "may"),
    [
        ("refs/heads/openagent/x", ["openagent/*"], True),
        ("refs/heads/openagent/x/y", ["openagent/*"], True),
        ("refs/heads/openagent/", ["openagent/*"], False),
        ("refs/heads/openagent", ["openagent/*"], False),
        ("refs/heads/xopenagent/x", ["openagent/*"], False),
        ("refs/heads/main", ["openagent/*"], False),
        ("refs/heads/main", ["openagent/*", "main"], True),
        ("refs/heads/main", [], False),
        ("refs/heads/a.b", ["a?b"], False),
        ("refs/openagent/x", ["openagent/*"], False),
        ("HEAD", ["*"], False),
    ],
)
def test_branches_are_matched_with_patterns(ref: str, patterns: list[str], may: bool) -> None:
    refused = pushes.refusals(Push((Change(ref, deletes=False),)), patterns)
    assert (ref not in refused) == may


@given(st.lists(st.sampled_from(["refs/heads/" + "a" * 900, "refs/heads/b"]), min_size=1, max_size=100))
def test_a_report_is_pkt_lines_whatever_its_length(refs: list[str]) -> None:
    push = Push(tuple(Change(ref, deletes=False) for ref in refs), has_sideband=True)
    told = pushes.report(push, pushes.refusals(push, []))
    found = pkt_line.until_flush(told)
    assert found is not None and found[1] == len(told)
    assert all(line[:1] == b"\x01" for line in found[0])
    inner = pkt_line.until_flush(b"".join(line[1:] for line in found[0]))
    assert inner is not None and len(inner[0]) == 1 + len(refs)
