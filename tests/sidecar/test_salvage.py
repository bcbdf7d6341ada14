"""What an earlier generation left: read as a true beginning, sent until stored, removed only then."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from sidecar import salvage, segments
from sidecar.protocol import frames

SESSION = "7f1b7a52-3d0c-4f0e-9a55-0d6f6b1f0c03"


def write(
    folder: Path,
    *numbers: int,
    gen: int = 1,
    index: int = 1,
    session: str = SESSION,
    stored: int = 0,
    tail: bytes = b"",
) -> Path:
    path = folder / str(segments.Name(gen, index))
    records = [segments.pack_struct(segments.Owner(session=session, gen=gen, instance="i"))]
    records += [segments.pack(event(seq, gen)) for seq in numbers]
    if stored:
        records.append(segments.pack_struct(segments.Mark(stored=stored)))
    path.write_bytes(b"".join(records) + tail)
    return path


def event(seq: int, gen: int = 1) -> bytes:
    return msgspec.json.encode(
        {"v": 1, "seq": seq, "gen": gen, "turn": None, "ts": "t", "kind": "plan", "data": {"entries": []}}
    )


def read(folder: Path, gen: int = 1) -> list[int]:
    leftover = salvage.read(folder, session=SESSION, gen=gen)
    numbers = [int(msgspec.json.decode(raw)["seq"]) for raw in leftover.events]
    assert not numbers or (numbers[0], numbers[-1]) == (leftover.first, leftover.last)
    return numbers


def test_segments_are_read_in_their_order(tmp_path: Path) -> None:
    write(tmp_path, 3, 4, index=2)
    write(tmp_path, 1, 2, index=1)
    write(tmp_path, 9, gen=2)
    assert read(tmp_path) == [1, 2, 3, 4]


def test_what_is_known_to_be_stored_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, 1, 2, 3, index=1)
    write(tmp_path, 4, 5, index=2, stored=3)
    assert read(tmp_path) == [4, 5]
    write(tmp_path, 4, 5, index=2, stored=5)
    assert read(tmp_path) == []


def test_what_was_written_twice_counts_once(tmp_path: Path) -> None:
    write(tmp_path, 1, 2, 3, index=1)
    write(tmp_path, 2, 3, 4, index=2)
    assert read(tmp_path) == [1, 2, 3, 4]


def test_nothing_after_a_hole_is_used(tmp_path: Path) -> None:
    write(tmp_path, 1, 2, 3, index=1, tail=b"\x00\x00\x00\x05torn")
    write(tmp_path, 4, 5, index=2)
    write(tmp_path, 7, 8, index=3)
    assert read(tmp_path) == [1, 2, 3, 4, 5]


def test_nothing_after_an_unreadable_first_segment_is_used(tmp_path: Path) -> None:
    write(tmp_path, 1, 2, index=1).write_bytes(b"\x00" * 100)
    write(tmp_path, 3, 4, index=2)
    assert read(tmp_path) == []


def test_another_sessions_segment_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, 1, 2, session="somebody else's")
    assert read(tmp_path) == []


class Platform:
    """Answers salvage frames as told."""

    def __init__(self, folder: Path) -> None:
        self.frames: list[frames.Salvage] = []
        self.salvage = salvage.Salvage(folder, self.take)
        self.stored: dict[int, int] = {}
        self.answers_twice = False

    def take(self, raw: bytes) -> None:
        frame = frames.decode_up(raw)
        assert isinstance(frame, frames.Salvage)
        self.frames.append(frame)
        for number in (event.seq for event in frame.events):
            self.stored[frame.gen] = number
        answer = frames.SalvageAck(
            gen=frame.gen, seq=self.stored.get(frame.gen, 0), next_seq=77 if frame.done else 0
        )
        for _ in range(2 if self.answers_twice else 1):
            asyncio.get_running_loop().call_soon(self.salvage.acknowledge, answer)


@pytest.mark.parametrize("twice", [False, True])
async def test_everything_goes_up_and_then_the_files_go(
    tmp_path: Path, twice: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(salvage, "FRAME_BYTES", 200)
    write(tmp_path, *range(1, 10), gen=1)
    write(tmp_path, 20, 21, gen=3)
    foreign = write(tmp_path, 5, gen=2, session="somebody else's")
    platform = Platform(tmp_path)
    platform.answers_twice = twice
    assert await platform.salvage.run(session=SESSION, gen=4) == 77
    sent = [(frame.gen, [event.seq for event in frame.events]) for frame in platform.frames]
    assert [number for gen, numbers in sent if gen == 1 for number in numbers] == list(range(1, 10))
    assert (3, [20, 21]) in sent and len(sent) > 4
    assert platform.frames[-1] == frames.Salvage(gen=4, events=[], done=True)
    assert list(tmp_path.iterdir()) == [foreign]
    assert platform.salvage.pending is None


async def test_nothing_to_salvage_is_said_too(tmp_path: Path) -> None:
    platform = Platform(tmp_path)
    assert await platform.salvage.run(session=SESSION, gen=1) == 77
    assert platform.frames == [frames.Salvage(gen=1, events=[], done=True)]


async def test_what_is_not_answered_is_pending_for_the_next_connection(tmp_path: Path) -> None:
    path = write(tmp_path, 1, 2)
    sent: list[bytes] = []
    mute = salvage.Salvage(tmp_path, sent.append)
    running = asyncio.create_task(mute.run(session=SESSION, gen=2))
    while not sent:
        await asyncio.sleep(0.01)
    mute.acknowledge(frames.SalvageAck(gen=1, seq=1))
    mute.acknowledge(frames.SalvageAck(gen=2, seq=0, next_seq=9))
    await asyncio.sleep(0)
    assert mute.pending == sent[0] and path.exists()
    running.cancel()
