"""Reading a segment: whatever happened to the file, what is read is a true beginning of what was written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sidecar import segments

OWNER = segments.Owner(session="s", gen=3, instance="i")


def event(seq: int, text: str = "x") -> bytes:
    return json.dumps({"v": 1, "seq": seq, "data": {"text": text}}).encode()


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / str(segments.Name(3, 1))
    records = [segments.pack_struct(OWNER), *(segments.pack(event(seq, "é" * seq)) for seq in range(5, 9))]
    records.insert(3, segments.pack_struct(segments.Mark(stored=5, command=2)))
    path.write_bytes(b"".join(records))
    return path


def test_a_whole_segment_is_read_completely(whole: Path) -> None:
    segment = segments.read(whole)
    assert segment.owner == OWNER
    assert [seq for seq, _ in segment.events] == [5, 6, 7, 8]
    assert segment.events[1][1] == event(6, "é" * 6)
    assert (segment.mark.stored, segment.mark.command, segment.damaged_bytes) == (5, 2, 0)


def test_a_tail_torn_at_any_byte_loses_only_the_torn_record(whole: Path) -> None:
    raw = whole.read_bytes()
    expected = segments.read(whole).events
    counts = set()
    for length in range(len(raw)):
        whole.write_bytes(raw[:length])
        torn = segments.read(whole)
        assert torn.events == expected[: len(torn.events)]
        assert torn.damaged_bytes < segments.HEAD_BYTES + max(len(payload) for _, payload in expected) + 100
        counts.add(len(torn.events))
    assert counts == {0, 1, 2, 3}


def test_a_flipped_bit_never_shows_a_changed_event(whole: Path) -> None:
    raw = whole.read_bytes()
    expected = segments.read(whole).events
    for position in range(len(raw)):
        for bit in (0, 3, 7):
            flipped = bytearray(raw)
            flipped[position] ^= 1 << bit
            whole.write_bytes(flipped)
            read = segments.read(whole)
            assert read.events == expected[: len(read.events)]
            assert read.damaged_bytes > 0


@pytest.mark.parametrize("filler", [b"\x00", b"\xff", b"{"])
def test_a_tail_filled_by_the_file_system_is_damage_not_events(whole: Path, filler: bytes) -> None:
    expected = segments.read(whole)
    with whole.open("ab") as file:
        file.write(filler * 5000)
    read = segments.read(whole)
    assert read.events == expected.events and read.damaged_bytes == 5000


def test_a_record_that_is_no_record_of_ours_ends_the_segment(whole: Path) -> None:
    for payload in (b"[]", b"7", b'{"what":1}', b"\xff\xff", b'{"seq":-', b'{"a":' * 100_000):
        raw = segments.pack_struct(OWNER) + segments.pack(payload) + segments.pack(event(1))
        whole.write_bytes(raw)
        assert segments.read(whole).events == []


def test_only_segments_are_listed_oldest_first(tmp_path: Path) -> None:
    for name in ("0000000010-000001.journal", "0000000002-000010.journal", "0000000002-000002.journal"):
        (tmp_path / name).touch()
    for name in (
        "reserve",
        "1-1.journal",
        "0000000002-00000x.journal",
        "0000000002-000002.journal.bak",
        "²-1.journal",
    ):
        (tmp_path / name).touch()
    assert segments.names(tmp_path) == [
        segments.Name(2, 2),
        segments.Name(2, 10),
        segments.Name(10, 1),
    ]
