"""Terminals of the real box program: a real bash, sizes, signals, ends, and output that nobody reads."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from sidecar.box_process import BoxPty
from sidecar.box_protocol import BoxError
from tests.fakes.local_box import LocalBox, ended, local_box

SECONDS = 20


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[LocalBox]:
    async with local_box(tmp_path) as started:
        yield started


class Screen:
    """A terminal and everything that it wrote."""

    def __init__(self, pty: BoxPty) -> None:
        self.pty = pty
        self.seen = b""

    def type(self, text: str) -> None:
        self.pty.stdin.write(text.encode())

    async def until(self, text: str) -> bytes:
        """Read until the text is there; what came since the last call, up to and with it."""
        wanted = text.encode()
        async with asyncio.timeout(SECONDS):
            while wanted not in self.seen:
                piece = await self.pty.stream.read(65536)
                assert piece, f"it ended with {self.seen!r}"
                self.seen += piece
        head, _, self.seen = self.seen.partition(wanted)
        return head + wanted

    async def end(self) -> tuple[bytes, int]:
        """The rest of its output, and its exit code."""
        async with asyncio.timeout(SECONDS):
            while piece := await self.pty.stream.read(65536):
                self.seen += piece
            return self.seen, await self.pty.wait()


async def open_screen(
    box: LocalBox, argv: Sequence[str] = (), *, rows: int = 24, cols: int = 80, **env: str
) -> Screen:
    environment = {"SHELL": "/bin/bash", "PS1": "$ ", **env}
    return Screen(await box.server.pty(argv, env=environment, rows=rows, cols=cols, cwd=str(box.workspace)))


async def test_a_login_shell_types_answers_and_tells_its_exit_code(box: LocalBox) -> None:
    screen = await open_screen(box, GREETING="hello")
    screen.type("shopt -q login_shell && echo is-$((40+2)) $GREETING $TERM $COLORTERM $PWD; tty\n")
    await screen.until(f"is-42 hello xterm-256color truecolor {box.workspace}")
    await screen.until("/dev/pts/")
    screen.type("exit 7\n")
    assert (await screen.end())[1] == 7


async def test_a_command_runs_without_a_shell(box: LocalBox) -> None:
    screen = await open_screen(box, ["printf", "%s", "$HOME; *"])
    assert await screen.end() == (b"$HOME; *", 0)


async def test_the_size_is_there_from_the_beginning_and_a_change_is_signalled(box: LocalBox) -> None:
    script = "stty size; trap 'stty size; exit' WINCH; echo ready; while :; do read -t 1; done"
    screen = await open_screen(box, ["bash", "-c", script], rows=30, cols=100)
    await screen.until("30 100\r\nready")
    screen.pty.resize(200, 60)
    await screen.until("200 60")


async def test_redraw_reaches_the_program_in_the_foreground(box: LocalBox) -> None:
    screen = await open_screen(box)
    screen.type('bash -c \'trap "echo re"drawn WINCH; echo re""ady; while :; do read -t 1; done\'\n')
    await screen.until("ready\r\n")
    screen.pty.redraw()
    await screen.until("redrawn")


async def test_control_c_interrupts_the_program_and_not_the_shell(box: LocalBox) -> None:
    screen = await open_screen(box, ["bash", "--norc", "--noprofile"], PS1="next> ")
    screen.type("(echo sta''rted; exec sleep 100)\n")
    await screen.until("started\r\n")
    screen.type("\x03")
    await screen.until("next> ")
    screen.type("echo code-$?\n")
    await screen.until("code-130")


async def test_job_control_works(box: LocalBox) -> None:
    screen = await open_screen(box)
    screen.type("sleep 100 & jobs; kill %1; wait; echo do''ne\n")
    assert b"Running" in await screen.until("done\r\n")


async def test_an_unknown_program_is_refused(box: LocalBox) -> None:
    with pytest.raises(BoxError) as caught:
        await open_screen(box, ["/nowhere"])
    assert caught.value.code == "not_found"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
async def test_a_signal_ends_shell_and_program(box: LocalBox, number: signal.Signals) -> None:
    screen = await open_screen(box, ["bash", "-c", "echo $$; exec sleep 100"])
    pid = int((await screen.until("\n")).decode())
    await screen.pty.kill(number)
    assert (await screen.end())[1] == -number
    assert not Path(f"/proc/{pid}").exists()


async def test_a_child_that_holds_the_terminal_does_not_hold_up_the_end(box: LocalBox) -> None:
    screen = await open_screen(box, ["bash", "-c", "trap '' HUP; sleep 100 & echo $!"])
    output, code = await screen.end()
    assert code == 0
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(output.decode()), signal.SIGKILL)


async def test_the_last_output_before_the_end_is_not_lost(box: LocalBox) -> None:
    for _ in range(5):
        screen = await open_screen(box, ["bash", "-c", "seq 20000"])
        output, code = await screen.end()
        assert code == 0
        assert output.split() == [str(number).encode() for number in range(1, 20001)]


async def test_hanging_up_ends_the_program(box: LocalBox) -> None:
    screen = await open_screen(box)
    screen.type("echo p''id-$$-\n")
    await screen.until("pid-")
    pid = int((await screen.until("-")).decode().removesuffix("-"))
    screen.pty.stdin.close()
    async with asyncio.timeout(SECONDS):
        assert await screen.pty.wait() == -signal.SIGHUP
    assert not Path(f"/proc/{pid}").exists()


async def test_output_that_nobody_reads_stops_the_program(box: LocalBox) -> None:
    screen = await open_screen(box, ["bash", "-c", "while printf '%01023d\n' 0; do printf x >> count; done"])
    count = box.workspace / "count"

    async def settled() -> int:
        """The number of lines when it does not grow any more."""
        last = -1
        while (now := count.stat().st_size if count.exists() else 0) != last or now == 0:
            last = now
            await asyncio.sleep(0.3)
        return last

    async with asyncio.timeout(SECONDS):
        stopped_at = await settled()
    assert stopped_at < 4096
    async with asyncio.timeout(SECONDS):
        for _ in range(64):
            await screen.pty.stream.readexactly(16 * 1024)
        while count.stat().st_size <= stopped_at:
            await asyncio.sleep(0.02)
    await screen.pty.close()


async def test_input_that_nobody_reads_is_held_back_and_all_of_it_arrives(box: LocalBox) -> None:
    pasted = os.urandom(1_000_000)
    script = "stty raw -echo; echo ready; head -c 1000000 | md5sum"
    screen = await open_screen(box, ["bash", "-c", script])
    await screen.until("ready")
    screen.pty.stdin.write(pasted)
    async with asyncio.timeout(SECONDS):
        await screen.pty.stdin.drain()
    output, _ = await screen.end()
    assert hashlib.md5(pasted).hexdigest().encode() in output


async def test_many_terminals_at_once(box: LocalBox) -> None:
    screens = [
        await open_screen(box, ["bash", "-c", f"echo number-{n}; read x; exit {n}"]) for n in range(20)
    ]
    for number, screen in enumerate(screens):
        await screen.until(f"number-{number}\r\n")
    for screen in screens:
        screen.type("\n")
    assert [(await screen.end())[1] for screen in screens] == list(range(20))


async def test_terminals_end_with_the_box(box: LocalBox) -> None:
    screen = await open_screen(box, ["bash", "-c", "trap '' HUP; echo $$; while :; do sleep 1; done"])
    pid = int((await screen.until("\n")).decode())
    await box.server.close()
    await asyncio.wait_for(box.process.wait(), 15)
    await ended(pid)
