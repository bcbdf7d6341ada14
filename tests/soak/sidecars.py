"""A fake sidecar as a process that writes down what was acknowledged to it and which turns its agent ran."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

from sidecar.instance import Instance
from sidecar.protocol import frames
from tests.fakes.scripted import ScriptedAgent
from tests.fakes.sidecar import FakeSidecar


class Record:
    """A file of JSON lines that outlives the process, whichever way it ends."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, **facts: Any) -> None:
        os.write(self._file, json.dumps(facts).encode() + b"\n")


class RecordingAgent(ScriptedAgent):
    """Writes down every turn that it is given, before anything else happens to it."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self._record = record

    async def prompt(self, turn: str, text: str, *, model: str = "", mode: str = "") -> None:
        self._record.note(ran=turn)
        await super().prompt(turn, text, model=model, mode=mode)


def recording(record: Record) -> type[Instance]:
    """Instances that write down what the platform acknowledges."""

    class RecordingInstance(Instance):
        """The real one, overheard."""

        def receive(self, frame: frames.Down) -> None:
            super().receive(frame)
            if isinstance(frame, frames.Ack) and self._session is not None:
                record.note(gen=self._session.claim.gen, acked=frame.seq)

    return RecordingInstance


async def live(config: dict[str, Any], record: Path) -> int:
    """Live until something ends it; TERM ends it orderly, USR1 takes its box away. The exit code."""
    overheard = Record(record)
    sidecar = FakeSidecar(
        instance=config["instance"],
        token=config["token"],
        link=config["link"],
        journal=Path(config["journal"]),
        agent=lambda: RecordingAgent(overheard),
    )
    sidecar.instance_type = recording(overheard)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, sidecar.stop)
    loop.add_signal_handler(signal.SIGUSR1, lambda: sidecar.box.lose("It was taken away."))
    return await sidecar.start()
