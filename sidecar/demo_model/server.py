"""The demo model's HTTP server: listens, finds out what is asked, has it played, records what happened."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import deque
from pathlib import Path

from sidecar.demo_model import play, wires
from sidecar.demo_model.performance import Exchange, Performance
from sidecar.demo_model.play import Played
from sidecar.demo_model.scripts import Failure
from sidecar.demo_model.wires.base import Asked, Wire, short_id
from sidecar.http1 import BadRequest, Connection, PeerGone, Request

PACE_MILLISECONDS = "15"
RECORDED_BYTES = 8 * 1024 * 1024
UNKNOWN_MODEL = "unknown"
"""A model with this word in its name does not exist."""

_MODELS = {
    "object": "list",
    "data": [{"id": "demo", "object": "model", "created": 0, "owned_by": "demo", "display_name": "Demo"}],
    "models": [{"name": "models/demo", "displayName": "Demo"}],
}


class Server:
    """A running demo model at `url`; `exchanges` holds the newest requests (8 MB of them), oldest first.

    Use it in `async with`, or call `close`.
    """

    def __init__(self, *, pace: float, require_key: str, log: Path | None) -> None:
        self.exchanges: deque[Exchange] = deque()
        self.url = ""
        self._pace = pace
        self._require_key = require_key
        self._log = log
        self._failed: dict[str, int] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes any."""
        self._listener = await asyncio.start_server(self._connected, host, port)
        address = self._listener.sockets[0].getsockname()
        self.url = f"http://{address[0]}:{address[1]}"

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop listening and cut what is open."""
        if self._listener is not None:
            self._listener.close()
        tasks = tuple(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._converse(Connection(reader, writer)))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _converse(self, connection: Connection) -> None:
        try:
            while (request := await connection.request()) is not None:
                await self._serve(connection, request)
        except (PeerGone, BadRequest):
            connection.abort()
        except asyncio.CancelledError:
            connection.abort()
            raise
        finally:
            await connection.close()

    async def _serve(self, connection: Connection, request: Request) -> None:
        raw = await connection.whole_body()
        target = request.target.decode("ascii", "replace")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        exchange = Exchange(request.method, target, headers, size=len(raw) + 2048)
        self._record(exchange)
        try:
            await self._answer(Performance(connection, exchange, self._pace), raw)
        except (PeerGone, asyncio.CancelledError):
            if exchange.outcome == "open":
                exchange.outcome = "client gone"
            raise
        finally:
            if exchange.outcome == "open":
                exchange.outcome = "done"
            self._write_log(exchange)

    async def _answer(self, performance: Performance, raw: bytes) -> None:
        exchange = performance.exchange
        wire = wires.of_path(exchange.path)
        if self._require_key and exchange.key != self._require_key:
            await performance.fail(wire, Failure(401, "auth"))
        elif exchange.method == "GET" and exchange.path.endswith("/models"):
            await performance.json(200, _MODELS)
        elif exchange.path.endswith(("/messages/count_tokens", ":countTokens")):
            await performance.json(200, {"input_tokens": 100, "totalTokens": 100})
        elif wire is None or exchange.method != "POST":
            await performance.json(404, {"error": {"message": "The demo model has no such path."}})
        else:
            await self._reply(performance, wire, raw)

    async def _reply(self, performance: Performance, wire: Wire, raw: bytes) -> None:
        exchange = performance.exchange
        try:
            exchange.body = json.loads(raw)
            asked = wire.read(exchange.path, exchange.body)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            await performance.json(400, {"error": {"message": "This is not a request of this API."}})
            return
        played = play.play(asked)
        exchange.wire, exchange.script, exchange.step = wire.name, played.script, played.step
        if UNKNOWN_MODEL in asked.model:
            await performance.fail(wire, Failure(404, "model"))
        elif played.failure is not None and self._fails(asked, played):
            await performance.fail(wire, played.failure, retry_after=played.seconds)
        else:
            await performance.play(wire, asked, played)

    def _fails(self, asked: Asked, played: Played) -> bool:
        """Whether a scripted failure happens now: always, or the first times in a conversation."""
        if not played.failures:
            return True
        conversation = short_id(*(entry.role + entry.text for entry in asked.history))
        failed = self._failed.get(conversation, 0)
        if failed == played.failures:
            del self._failed[conversation]
            return False
        self._failed[conversation] = failed + 1
        return True

    def _record(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        while len(self.exchanges) > 1 and sum(each.size for each in self.exchanges) > RECORDED_BYTES:
            self.exchanges.popleft()

    def _write_log(self, exchange: Exchange) -> None:
        if self._log is None:
            return
        names = ("method", "path", "key", "wire", "script", "step", "status", "outcome", "text")
        line = {name: getattr(exchange, name) for name in names}
        body = exchange.body
        head = {"at": round(time.time(), 3), "model": body.get("model"), "stream": body.get("stream")}
        with self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(head | line) + "\n")


async def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    pace: float | None = None,
    require_key: str = "",
    log: Path | None = None,
) -> Server:
    """Start a demo model. `pace`: seconds between pieces of text, else OPENAGENT_DEMO_PACE_MS, else 15 ms."""
    if pace is None:
        pace = float(os.environ.get("OPENAGENT_DEMO_PACE_MS", PACE_MILLISECONDS)) / 1000
    server = Server(pace=pace, require_key=require_key, log=log)
    await server.start(host, port)
    return server
