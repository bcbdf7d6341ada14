"""One instance of a running product as its host sees it: its processes, its journal, its files."""

from __future__ import annotations

import json
import os
import select
import signal
from pathlib import Path
from typing import Any

from sidecar import segments
from tests.end_to_end import sites
from tests.end_to_end.client import SECONDS, Client, eventually
from tests.product import Product

GONE_SECONDS = 60


class Instance:
    """The live instance of a session at the moment when this is made; waits until its processes are known."""

    def __init__(self, product: Product, client: Client, session: str) -> None:
        self._data = product.data.root
        self._site = sites.of(product)
        self.session = session

        def look() -> dict[str, Any] | None:
            shown = client.session(session)["instance"]
            return shown if shown and self._site.processes(shown["id"]).get("box") else None

        found = eventually(look, SECONDS, lambda: f"no instance: {client.session(session)}")
        self.id = str(found["id"])
        self.generation = int(found["generation"])
        self.pids = self._site.processes(self.id)

    @property
    def folder(self) -> Path:
        """What the process driver has of it."""
        return self._data / "instances" / self.id

    @property
    def workspace(self) -> Path:
        return self._site.workspace(self.session)

    @property
    def journal(self) -> Path:
        return self._site.journal(self.session)

    @property
    def log(self) -> str:
        """What its sidecar has logged until now."""
        return self._site.log(self.id)

    def kill(self, half: str, number: int = signal.SIGKILL) -> None:
        """Signal the first process of the `sidecar` or of the `box`, or the `keeper` of both.

        SIGKILL waits until all its threads are gone: one in the middle of a write ends that first.
        """
        pid = self.pids[half]
        process = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(process, number)
            if number == signal.SIGKILL:
                # Readable when the last thread has ended, whoever its parent is: pidfd_open(2).
                assert select.select([process], [], [], GONE_SECONDS)[0], f"{half} {pid} does not end"
        finally:
            os.close(process)

    def journaled(self) -> list[dict[str, Any]]:
        """The events that stand in the journal of this generation right now, oldest first."""
        found: dict[int, dict[str, Any]] = {}
        for name in segments.names(self.journal):
            if name.gen == self.generation:
                read = segments.read(self.journal / str(name))
                found |= {seq: json.loads(raw) for seq, raw in read.events}
        return [found[seq] for seq in sorted(found)]

    def others(self) -> list[str]:
        """Other instances of the session that its host still has."""
        found = self._site.volumes().items()
        return [instance for instance, volume in found if volume == self.session and instance != self.id]
