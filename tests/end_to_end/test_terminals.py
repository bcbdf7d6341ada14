"""Terminals of the whole product: shells that outlive cuts, killed parts and a session that sleeps."""

from __future__ import annotations

import hashlib
import random
import time
from typing import Any

import pytest

from tests.end_to_end.client import SECONDS, eventually
from tests.end_to_end.rig import Rig
from tests.end_to_end.terminal import TerminalClient

MEBIBYTE = 1024 * 1024


def opened(rig: Rig, session: str, *command: str, **fields: Any) -> str:
    """A terminal; without a command a login shell."""
    asked = {"rows": 24, "cols": 80, **({"command": list(command)} if command else {}), **fields}
    return str(rig.client.post(f"/sessions/{session}/terminals/", asked)["id"])


def with_terminals(rig: Rig) -> str:
    """The session of these tests: opening a terminal wakes it, and does not wait for its agent."""
    title = "Terminals"
    for session in rig.client.get("/sessions/")["results"]:
        if session["title"] == title:
            return str(session["id"])
    return rig.client.new_session(mode="auto", title=title)


def get(rig: Rig, session: str, terminal: str) -> Any:
    return rig.client.get(f"/sessions/{session}/terminals/{terminal}/")


def closed(rig: Rig, session: str, terminal: str) -> Any:
    """The terminal when it is closed and what is kept of it is stored."""

    def look() -> Any:
        found = get(rig, session, terminal)
        return found if found["state"] == "closed" and found["has_transcript"] else None

    return eventually(look, SECONDS, lambda: str(get(rig, session, terminal)))


def remove(rig: Rig, session: str, terminal: str) -> None:
    rig.client.call("DELETE", f"/sessions/{session}/terminals/{terminal}/")


def test_a_shell_in_the_box_that_survives_its_browser(broken: Rig) -> None:
    session = with_terminals(broken)
    terminal = opened(broken, session, title="Mine")
    with TerminalClient(broken.client, session, terminal) as first:
        first.type(b"echo $((6*7))-$TERM-$(id -un); cd /workspace; sleep 1000 & echo ji''d-$!-\n")
        first.shows(b"42-xterm-256color-", 120)
        first.shows(b"jid-")
        seen = bytes(first.screen)
    with TerminalClient(broken.client, session, terminal) as second:
        second.shows(seen)
        second.type(b"jobs; exit 3\n")
        second.until(lambda: second.end)
        assert second.end is not None and second.end["exit_code"] == 3
        assert b"sleep 1000" in second.screen
    found = closed(broken, session, terminal)
    assert (found["reason"], found["exit_code"], found["title"]) == ("exited", 3, "Mine")
    text = broken.client.raw("GET", f"/sessions/{session}/terminals/{terminal}/transcript/").text
    assert "42-xterm-256color-" in text and "\x1b" not in text
    assert (
        broken.client.raw("GET", f"/sessions/{session}/terminals/{terminal}/transcript/?as=asciicast").json()[
            "code"
        ]
        == "not_recorded"
    )
    assert first.complaints == second.complaints == []
    remove(broken, session, terminal)


@pytest.mark.parametrize(("megabytes", "cuts"), [(8, 8), pytest.param(50, 50, marks=pytest.mark.slow)])
def test_output_is_byte_exact_however_often_socket_and_link_are_cut(
    broken: Rig, megabytes: int, cuts: int
) -> None:
    session, size = with_terminals(broken), megabytes * MEBIBYTE
    script = f"stty raw; head -c {size} /dev/urandom | tee /tmp/x; md5sum < /tmp/x; rm /tmp/x; read x"
    chance, digest = random.Random(11), hashlib.md5()
    terminal = opened(broken, session, "bash", "-c", script)
    with TerminalClient(broken.client, session, terminal) as one:
        for number in range(1, cuts):
            place = size * number // cuts
            one.until(lambda place=place: seen_by(one) >= place)  # type: ignore[misc]
            if chance.random() < 0.3:
                broken.link.cut()
            else:
                one.cut_and_join()
        one.until(lambda: seen_by(one) >= size + 36, 300)
        digest.update(one.screen[:size])
        assert digest.hexdigest().encode() == bytes(one.screen[size : size + 32])
        assert (one.complaints, one.resets) == ([], 0)
        assert one.connects > cuts // 2
    remove(broken, session, terminal)


def seen_by(one: TerminalClient) -> int:
    return len(one.screen)


def test_keystrokes_while_web_and_redis_are_killed_are_neither_lost_nor_doubled(broken: Rig) -> None:
    session = with_terminals(broken)
    typed = "".join(random.Random(3).choices("abcdefghijklmnop", k=3000)).encode()
    # Byte by byte, so that a failure shows how far it came.
    eater = f"dd bs=1 count={len(typed)} status=none | tee /tmp/got"
    script = f"stty raw -echo; echo ready; {eater}; echo; md5sum < /tmp/got"
    terminal = opened(broken, session, "bash", "-c", script)
    with TerminalClient(broken.client, session, terminal) as one:
        one.shows(b"ready", 120)
        for place in range(0, len(typed), 10):
            one.type(typed[place : place + 10])
            if place == 700:
                broken.kill("web")
            if place == 1500:
                broken.kill("redis")
            if place == 2200:
                broken.link.cut()
            time.sleep(0.01)
        one.shows(hashlib.md5(typed).hexdigest().encode(), 180)
        one.until(one.all_acknowledged)
        assert one.complaints == []
    broken.wait_until_whole()
    remove(broken, session, terminal)


def test_a_sleeping_session_shows_what_was_there_and_wakes_for_a_new_one(broken: Rig) -> None:
    session = broken.client.new_session(mode="auto")
    terminal = opened(broken, session)
    with TerminalClient(broken.client, session, terminal) as one:
        one.type(b"echo kept > /workspace/file; echo re''member\n")
        one.shows(b"remember", 120)
        broken.client.post(f"/sessions/{session}/stop/")
        one.until(lambda: one.end)
        assert one.end is not None and one.end["reason"] == "stopped"
    assert closed(broken, session, terminal)["reason"] == "stopped"
    broken.client.status(session, "asleep")
    with TerminalClient(broken.client, session, terminal) as again:
        again.until(lambda: again.end)
        assert b"remember" in again.screen
    second = opened(broken, session, "cat", "/workspace/file")
    with TerminalClient(broken.client, session, second) as woken:
        woken.until(lambda: woken.end, 120)
        assert woken.screen == b"kept\r\n"

    def told() -> list[int]:
        kinds = [event["kind"] for event in broken.client.events(session)]
        return [kinds.count("terminal.opened"), kinds.count("terminal.closed")]

    # Whoever watches hears of an end sooner than the log.
    eventually(lambda: told() == [2, 2], 30, lambda: str(told()))
    broken.client.post(f"/sessions/{session}/stop/")


def test_a_slow_reader_of_a_flood_ends_at_the_right_place(
    broken: Rig,
) -> None:
    session = with_terminals(broken)
    terminal = opened(broken, session, "bash", "-c", "yes | head -c 3000000; echo; echo at the end; read x")
    with TerminalClient(broken.client, session, terminal, bytes_per_second=2_000_000) as slow:
        slow.shows(b"at the end", 120)
        assert slow.complaints == [] and slow.resets == 0
    remove(broken, session, terminal)
    assert broken.client.raw("GET", f"/sessions/{session}/terminals/{terminal}/").status_code == 404
