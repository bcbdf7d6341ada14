"""The program itself, as a driver starts it: hardened, quiet about secrets, ending with the right code."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sidecar import health
from sidecar.ending import Exit
from tests.fakes.platform import FakePlatform
from tests.fakes.station import Station

TOKEN = "f0e1d2c3b4a5968778695a4b3c2d1e0f"


class Program:
    """A running sidecar."""

    def __init__(self, process: asyncio.subprocess.Process, station: Station, folder: Path) -> None:
        self.process = process
        self.station = station
        self.folder = folder

    async def end(self) -> tuple[int, list[dict[str, Any]]]:
        """Its exit code and what it logged."""
        _, errors = await asyncio.wait_for(self.process.communicate(), 30)
        assert TOKEN not in errors.decode()
        assert self.process.returncode is not None
        return self.process.returncode, [json.loads(line) for line in errors.decode().splitlines()]


@contextlib.asynccontextmanager
async def started(**changes: Any) -> AsyncIterator[Program]:
    with tempfile.TemporaryDirectory(prefix="sidecar-") as name:
        folder = Path(name)
        (folder / "journal").mkdir()
        instance = str(uuid.uuid4())
        content = {
            "instance": instance,
            "token": TOKEN,
            "link": {"unix": str(folder / "link.sock")},
            "journal": str(folder / "journal"),
            "box_socket": str(folder / "box.sock"),
            "health_socket": str(folder / "health.sock"),
            **changes,
        }
        (folder / "config.json").write_text(json.dumps(content))
        async with FakePlatform(folder / "link.sock") as platform:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "sidecar", "--config", str(folder / "config.json")),
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                yield Program(process, platform.station(instance), folder)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
async def test_a_pool_member_waits_and_ends_when_told_to(signal_number: signal.Signals) -> None:
    async with started() as program:
        await program.station.until(lambda: bool(program.station.stages))
        target = str(program.folder / "health.sock")
        assert await asyncio.to_thread(health.check, target, "/readyz")
        program.process.send_signal(signal_number)
        code, lines = await program.end()
        assert code == Exit.STOPPED and program.station.goodbyes == ["shutdown"]
        assert {line["instance_id"] for line in lines} == {program.station.instance}
        assert {"link is up", "ending"} <= {line["event"] for line in lines}


async def test_nobody_looks_into_its_memory() -> None:
    async with started() as program:
        await program.station.until(lambda: bool(program.station.stages))
        proc = Path(f"/proc/{program.process.pid}")
        assert (proc / "limits").read_text().split("Max core file size")[1].split()[:2] == ["0", "0"]
        if os.getuid() != 0:
            # A process that is not dumpable belongs to root in /proc, whoever runs it.
            assert (proc / "environ").stat().st_uid == 0
            with pytest.raises(PermissionError):
                (proc / "mem").open("rb")


def test_a_process_that_hides_its_memory_is_not_dumpable() -> None:
    """Asked from within: root may look into every process, and all of them belong to it."""
    script = (
        "import ctypes\n"
        "from sidecar.__main__ import keep_memory_private\n"
        "PR_GET_DUMPABLE = 3\n"
        "print(ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0))\n"
        "keep_memory_private()\n"
        "print(ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0))\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["1", "0"] and said.stderr == ""


async def test_a_box_that_never_comes_is_said_so() -> None:
    async with started(limits={"box_seconds": 0.2}) as program:
        program.station.claim(agent="opencode")
        code, _ = await program.end()
        assert code == Exit.START_FAILED
        assert program.station.datas("error")[0]["class"] == "box_lost"
        assert program.station.stored[-1].kind == "error"


async def test_an_unusable_configuration_ends_it_at_once() -> None:
    async with started(link={"url": "http://nowhere"}) as program:
        code, (line,) = await program.end()
        assert code == Exit.CONFIG and line["event"] == "cannot start"


async def test_a_box_socket_that_cannot_be_made_ends_it() -> None:
    async with started(box_socket="/nowhere/at/all/box.sock") as program:
        code, _ = await program.end()
        assert code == Exit.CONFIG


async def test_a_health_check_that_cannot_listen_ends_it() -> None:
    async with started(health_socket="/nowhere/at/all/health.sock") as program:
        code, _ = await program.end()
        assert code == Exit.CONFIG


async def test_a_journal_that_is_not_there_ends_it_when_it_is_claimed() -> None:
    async with started(journal="/nowhere/at/all") as program:
        program.station.claim()
        code, _ = await program.end()
        assert code == Exit.JOURNAL
