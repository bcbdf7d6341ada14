"""Terminals of a whole sidecar with the real box program and bash, watched over a link that breaks."""

from __future__ import annotations

import asyncio
import hashlib
import random
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar import config
from sidecar.ending import Exit
from sidecar.protocol import frames, terminals
from sidecar.protocol.terminals import ANSWER, LIVE, WINDOW_BYTES
from sidecar.terminals import work
from sidecar.terminals.flow import AHEAD_BYTES
from tests.fakes.living import living
from tests.fakes.pair import Pair
from tests.fakes.station import Station, StationViewer

SECONDS = 60
SHELL = ["bash", "--norc", "--noprofile"]
LIMITS = config.Limits(terminal_hold_seconds=0.2)
MEBIBYTE = 1024 * 1024


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with living(tmp_path, limits=LIMITS) as made:
        await made.ready()
        yield made


async def until(station: Station, condition: object) -> None:
    await station.until(condition, SECONDS)  # type: ignore[arg-type]


async def opened(pair: Pair, command: list[str] = SHELL, **order: object) -> str:
    terminal = str(uuid.uuid4())
    pair.station.order(terminals.TerminalOpen(terminal=terminal, command=command, **order))  # type: ignore[arg-type]
    await until(pair.station, lambda: terminal in ids(pair, "terminal.opened"))
    return terminal


def ids(pair: Pair, kind: str) -> list[object]:
    return [data["terminal_id"] for data in pair.station.datas(kind)]


async def closed(pair: Pair, terminal: str) -> dict[str, object]:
    await until(pair.station, lambda: terminal in ids(pair, "terminal.closed"))
    return next(data for data in pair.station.datas("terminal.closed") if data["terminal_id"] == terminal)


async def shows(pair: Pair, viewer: StationViewer, text: bytes) -> None:
    await until(pair.station, lambda: text in viewer.output)


async def test_a_shell_is_watched_typed_into_and_ends(pair: Pair) -> None:
    terminal = await opened(pair, title="Mine", by="Alice")
    viewer = pair.station.watch(terminal, rows=30, cols=90)
    await until(pair.station, lambda: viewer.told(terminals.Welcome))
    (hello,) = viewer.told(terminals.Welcome)
    assert (hello.offset, hello.input, hello.closed) == (0, 0, False)
    # The size comes on a way of its own, so that it may be there a moment after what is typed.
    typed = b"until stty size | grep '30 90'; do :; done; echo $((6*7)) $OPENAGENT_TERMINAL\n"
    viewer.types(0, typed)
    await shows(pair, viewer, b"30 90\r\n42 " + terminal.encode())
    assert viewer.told(terminals.Taken)[-1].offset == len(typed)
    viewer.types(len(typed), b"exit 3\n")
    assert await closed(pair, terminal) == {"terminal_id": terminal, "reason": "exited", "exit_code": 3}
    await until(pair.station, lambda: viewer.told(terminals.Ended))
    ended = viewer.told(terminals.Ended)[0]
    assert (ended.offset, ended.exit_code) == (len(viewer.output), 3)
    await until(pair.station, lambda: terminal in pair.station.saved)
    assert b"".join(pair.station.saved[terminal].values()) == bytes(viewer.output)


async def test_a_command_that_does_not_exist_fails_in_words(pair: Pair) -> None:
    terminal = str(uuid.uuid4())
    pair.station.order(terminals.TerminalOpen(terminal=terminal, command=["/nowhere"]))
    end = await closed(pair, terminal)
    assert end["reason"] == "failed" and "no such file or program" in str(end["message"])
    assert terminal not in ids(pair, "terminal.opened")


async def test_a_program_that_ends_at_once_has_an_end_as_any_other(pair: Pair) -> None:
    terminal = await opened(pair, ["false"])
    assert await closed(pair, terminal) == {"terminal_id": terminal, "reason": "exited", "exit_code": 1}


async def test_closing_ends_a_program_that_ignores_the_hang_up(pair: Pair) -> None:
    terminal = await opened(pair, ["bash", "-c", "trap '' HUP; while :; do read -t 1; done"])
    pair.station.order(terminals.TerminalClose(terminal=terminal))
    assert (await closed(pair, terminal))["reason"] == "closed"


async def test_an_order_that_is_repeated_or_impossible(pair: Pair) -> None:
    terminal = await opened(pair)
    pair.station.order(terminals.TerminalOpen(terminal=terminal))
    number = pair.station.order(terminals.TerminalOpen(terminal=str(uuid.uuid4()), rows=0, cols=80))
    await until(pair.station, lambda: any(done.number == number for done in pair.station.done))
    assert [done.error for done in pair.station.done if done.number == number] == ["malformed"]
    assert ids(pair, "terminal.opened") == [terminal]


@pytest.mark.parametrize("megabytes", [4])
async def test_output_is_byte_exact_over_a_link_that_is_cut_at_random(pair: Pair, megabytes: int) -> None:
    """The viewer comes back each time with the offset it has; a reset would fail the hash."""
    size = megabytes * MEBIBYTE
    script = f"stty raw; head -c {size} /dev/urandom | tee copy; md5sum < copy; read x"
    chance = random.Random(7)
    terminal = await opened(pair, ["bash", "-c", script])
    whole, cuts = b"", 0
    while len(whole) < size + 36:
        viewer = pair.station.watch(terminal, offset=len(whole))
        await has_seen(pair, viewer, min(chance.randrange(1, MEBIBYTE), size + 36 - len(whole)))
        assert not any(hello.reset for hello in viewer.told(terminals.Welcome))
        del pair.station.viewers[viewer.number]
        assert viewer.pieces[0][1] == len(whole)
        whole += viewer.output
        await cut(pair)
        cuts += 1
    assert cuts >= 4
    assert hashlib.md5(whole[:size]).hexdigest().encode() == bytes(whole[size:][:32])


async def test_keystrokes_over_a_link_that_is_cut_are_neither_lost_nor_doubled(pair: Pair) -> None:
    """As a browser does it: what is not acknowledged is sent again from where the hello says."""
    typed = "".join(random.Random(3).choices("abcdefghij", k=2000)).encode()
    script = f"stty raw -echo; echo ready; head -c {len(typed)}"
    terminal = await opened(pair, ["bash", "-c", script])
    chance, sent = random.Random(5), 0
    viewer = pair.station.watch(terminal, offset=0)
    await shows(pair, viewer, b"ready")
    while sent < len(typed):
        viewer.types(sent, typed[sent : sent + 7])
        sent += 7
        if chance.random() < 0.02:
            await cut(pair)
            viewer = await comes_again(pair, viewer, terminal)
            sent = viewer.told(terminals.Welcome)[-1].input
        await asyncio.sleep(0)
    end = await closed(pair, terminal)
    assert end["exit_code"] == 0
    await until(pair.station, lambda: terminal in pair.station.saved)
    kept = b"".join(pair.station.saved[terminal].values())
    assert kept[kept.index(b"ready") :].split(b"\n", 1)[1].lstrip(b"\r") == typed


async def has_seen(pair: Pair, viewer: StationViewer, size: int) -> None:
    await until(pair.station, lambda: len(viewer.output) >= size)


async def cut(pair: Pair) -> None:
    """Cut the link, and wait for the next one."""
    link = pair.station.connection
    pair.station.cut()
    await until(pair.station, lambda: pair.station.connection not in (None, link))


async def comes_again(pair: Pair, viewer: StationViewer, terminal: str) -> StationViewer:
    del pair.station.viewers[viewer.number]
    again = pair.station.watch(terminal, offset=0, client="c")
    await until(pair.station, lambda: again.told(terminals.Welcome))
    return again


async def test_what_was_produced_before_a_viewer_came_is_not_to_be_answered(pair: Pair) -> None:
    terminal = await opened(pair, ["bash", "-c", r"printf '\e[c'; read x; printf '\e[6n'; read x"])
    first = pair.station.watch(terminal)
    await until(pair.station, lambda: b"\x1b[c" in first.output)
    second = pair.station.watch(terminal)
    await until(pair.station, lambda: second.output)
    first.types(0, b"\n")
    for viewer in (first, second):
        await shows(pair, viewer, b"\x1b[6n")
    assert all(flags == 0 for flags, _, data in second.pieces if b"\x1b[c" in data)
    assert any(flags == LIVE | ANSWER for flags, _, data in first.pieces if b"\x1b[6n" in data)
    assert all(flags == LIVE for flags, _, data in second.pieces if b"\x1b[6n" in data)


async def test_a_slow_viewer_slows_the_program_and_a_fast_one_governs(pair: Pair) -> None:
    terminal = await opened(pair, ["bash", "-c", "yes 0123456789abcdef"])
    slow = pair.station.watch(terminal)
    slow.acknowledges = False
    await until(pair.station, lambda: len(slow.output) >= WINDOW_BYTES)
    await asyncio.sleep(0.5)
    assert len(slow.output) <= WINDOW_BYTES
    assert ring_end(pair, terminal) <= AHEAD_BYTES + MEBIBYTE
    fast = pair.station.watch(terminal)
    await until(pair.station, lambda: len(fast.output) > 8 * MEBIBYTE)
    slow.acknowledges = True
    slow.acknowledge(len(slow.output))
    await until(pair.station, lambda: slow.told(terminals.Reset))
    fast.leave()
    reset = slow.told(terminals.Reset)[0]
    await until(pair.station, lambda: any(offset == reset.offset for _, offset, _ in slow.pieces))


def ring_end(pair: Pair, terminal: str) -> int:
    assert pair.sidecar.instance is not None and pair.sidecar.instance._session is not None
    return pair.sidecar.instance._session.terminals._terminals[terminal].ring.end


async def test_a_program_that_goes_on_by_itself_is_told_of(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "ANSWER_SECONDS", 0.0)
    terminal = await opened(pair, ["bash", "-c", "echo one; sleep 1000"])
    await until(pair.station, lambda: pair.station.works == 1)
    viewer = pair.station.watch(terminal)
    await shows(pair, viewer, b"one")
    monkeypatch.setattr(work, "ANSWER_SECONDS", 1000.0)
    monkeypatch.setattr(work, "TELL_SECONDS", 0.0)
    shell = await opened(pair)
    viewer = pair.station.watch(shell)
    viewer.types(0, b"echo answ''er\n")
    await shows(pair, viewer, b"answer")
    assert pair.station.works == 1


async def test_without_a_viewer_it_is_held_and_then_goes_on_slowly(pair: Pair) -> None:
    terminal = await opened(pair, ["bash", "-c", "yes | head -c 1500000"])
    end = await closed(pair, terminal)
    assert end["exit_code"] == 0
    await until(
        pair.station, lambda: sum(map(len, pair.station.saved.get(terminal, {}).values())) > 2_000_000
    )


async def test_the_last_output_is_stored_before_the_instance_says_that_it_stopped(pair: Pair) -> None:
    terminal = await opened(pair)
    viewer = pair.station.watch(terminal)
    viewer.types(0, b"echo re''member\n")
    await shows(pair, viewer, b"remember")
    pair.station.order(frames.InstanceStop(reason="user"))
    assert await pair.exit() is Exit.STOPPED
    kinds = pair.station.kinds()
    assert kinds.index("terminal.closed") < kinds.index("instance.stopped")
    assert (await closed(pair, terminal))["reason"] == "stopped"
    assert b"remember" in b"".join(pair.station.saved[terminal].values())
    assert list(pair.journal.glob("*.terminal")) == []


async def test_what_could_not_be_delivered_is_delivered_by_the_successor(pair: Pair) -> None:
    terminal = await opened(pair)
    viewer = pair.station.watch(terminal)
    viewer.types(0, b"echo re''member\n")
    await shows(pair, viewer, b"remember")
    await pair.platform.stop()
    pair.sidecar.stop()
    assert await pair.exit() is Exit.STOPPED
    assert len(list(pair.journal.glob("*.terminal"))) == 1
    await pair.platform.start()
    successor = await pair.next_generation()
    await pair.ready()
    await until(successor, lambda: terminal in successor.saved)
    assert b"remember" in b"".join(successor.saved[terminal].values())
    while list(pair.journal.glob("*.terminal")):
        await asyncio.sleep(0.02)


async def test_an_older_platform_hears_nothing_of_terminals(tmp_path: Path) -> None:
    async with living(tmp_path, version=1) as made:
        leftover = made.journal / f"{uuid.uuid4()}.terminal"
        made.journal.mkdir(exist_ok=True)
        leftover.write_bytes(b'{"start":0,"sizes":[],"times":[]}\nleft')
        await made.ready()
        await made.play("say hello")
        assert made.station.saved == {} and leftover.exists()
