"""A sidecar for tests of drivers: it starts as the real one does, and then does what a test says.

It is the real package with this file as its `__main__`; `package` makes one. Over the link it takes one JSON
object per line and answers each:

    {"box": argv}                 runs a program in the box: {"code", "output"}
    {"egress": {...}}             lets the box out so far: {"told"}, the events since the last time. `far`
                                  is a port that plays every host, `names` their addresses
    {"here": source}              runs Python in the sidecar's view: {"output"}
    {"flush_seconds": n}          on SIGTERM, take that long (default 0); then `flushed` is in the journal
    {"exit": code}                ends
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

from sidecar.box_server import BoxServer
from sidecar.gate.egress import addresses
from sidecar.gate.egress.proxy import EgressGate
from sidecar.protocol import egress, messages

REAL = Path(__file__).resolve().parents[2] / "sidecar"


def package(folder: Path) -> Path:
    """A package `sidecar` under `folder` whose program is this file."""
    target = folder / "sidecar"
    shutil.copytree(REAL, target, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(__file__, target / "__main__.py")
    return target


class Probe:
    """The program inside."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._journal = Path(config["journal"])
        self._flush_seconds = 0.0
        self._told: list[Any] = []
        self._gate = EgressGate(egress.Egress(), self._tell)
        self._box = BoxServer(config["box_socket"], {"models": _echo, "egress": self._let_out})

    async def run(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._terminated)
        await self._box.start()
        reader, writer = await asyncio.open_unix_connection(self._config["link"]["unix"], limit=2**24)
        _say(writer, {"hello": self._config["instance"], "token": self._config["token"]})
        await self._box.connected(80)
        _say(writer, {"ready": True})
        while line := await reader.readline():
            _say(writer, await self._do(json.loads(line)))
        print("the test hung up", flush=True)

    async def _do(self, order: dict[str, Any]) -> dict[str, Any]:
        if "box" in order:
            try:
                process = await self._box.exec(order["box"])
            except OSError as error:
                return {"code": -1, "output": str(error)}
            output = await process.stream.read()
            return {"code": await process.wait(), "output": output.decode("utf-8", "backslashreplace")}
        if "egress" in order:
            return await self._open(**order["egress"])
        if "here" in order:
            with contextlib.redirect_stdout(io.StringIO()) as output_here:
                try:
                    exec(order["here"], {})
                except OSError as error:
                    print(type(error).__name__)
            return {"output": output_here.getvalue()}
        if "exit" in order:
            print("ends as it was told", flush=True)
            os._exit(order["exit"])
        self._flush_seconds = order["flush_seconds"]
        return {}

    async def _open(
        self, *, names: dict[str, list[str]], far: int, far_address: str, **holds: Any
    ) -> dict[str, Any]:
        """Real addresses and a real network where no far end is given."""

        async def resolve(host: str, port: int) -> list[str]:
            return names[host] if host in names else await addresses.Resolver()(host, port)

        async def connect(found: list[str], port: int) -> addresses.Stream:
            if far:
                return await asyncio.open_connection(far_address, far)
            return await addresses.connect(found, port, seconds=10)

        self._gate.finish()
        told, self._told = self._told, []
        policy = egress.Egress(**holds)
        self._gate = EgressGate(
            policy,
            self._tell,
            host_addresses=self._config.get("host_addresses", ()),
            resolve=resolve,
            connect=connect,
        )
        return {"told": told}

    async def _let_out(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._gate.handle(reader, writer)

    def _tell(self, kind: str, data: messages.Data) -> None:
        self._told.append([kind, messages.to_data(data)])

    def _terminated(self) -> None:
        asyncio.get_running_loop().call_later(self._flush_seconds, self._flush)

    def _flush(self) -> None:
        (self._journal / "flushed").write_text(self._config["instance"])
        os._exit(0)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"gate: " + await reader.read())
    await writer.drain()
    writer.close()


def _say(writer: asyncio.StreamWriter, what: dict[str, Any]) -> None:
    writer.write(json.dumps(what).encode() + b"\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    config = json.loads(parser.parse_args().config.read_text())
    asyncio.run(Probe(config).run())


if __name__ == "__main__":
    main()
