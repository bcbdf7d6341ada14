"""100 fake sidecars and browsers through the real server with persistence, beside a bare relay."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import time
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect, unix_connect

from openagent.lib.data_dir import CHECKOUT
from sidecar.protocol import frames, messages
from tests.bench import load
from tests.product import Product

DRAIN_SECONDS = 30.0
ACK_EVERY = 64

_SEED = """
import json
from openagent.accounts.models import Scope, User
from openagent.accounts import tokens
from sessions_app.models import Instance, InstanceState, Session
from sessions_app.services import specs
user = User.objects.create_user("bench@example.com", None)
_, token = tokens.issue(user_id=user.pk, name="bench", scopes=[Scope.WRITE], expires_at=None)
made = []
for _ in range({sessions}):
    session = Session.objects.create(owner=user, model="demo")
    # Of a driver that this platform does not use, so that its reconciler leaves it alone.
    instance = Instance.objects.create(
        session=session, generation=1, driver="bench", driver_ref={{}}, state=InstanceState.STARTING
    )
    made.append([str(session.pk), str(instance.pk), specs.token_for(instance.pk)])
print("SEED" + json.dumps([token.reveal(), made]))
"""
_COUNT = """
from sessions_app.models import Event
print("COUNT", Event.objects.filter(kind="message.delta", session__owner__email="bench@example.com").count())
"""


def measure_bare(shape: load.Load) -> load.Result:
    """The baseline's numbers for this load."""
    relay = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bare_relay"],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert relay.stdin is not None and relay.stdout is not None
    try:
        return asyncio.run(_bare(shape, int(relay.stdout.readline()), relay.pid))
    finally:
        relay.stdin.close()
        relay.wait(10)
        relay.stdout.close()


async def _bare(shape: load.Load, port: int, pid: int) -> load.Result:
    url = f"ws://127.0.0.1:{port}"
    browsers = [await connect(f"{url}/browser/{n}", compression=None) for n in range(shape.sessions)]
    producers = [await connect(f"{url}/producer/{n}", compression=None) for n in range(shape.sessions)]
    try:

        async def send(number: int, index: int, due: int) -> None:
            await producers[number].send(_frame(index + 1, due))

        return await _run(shape, {pid}, browsers, send, load.consume)
    finally:
        for connection in (*browsers, *producers):
            await connection.close()


def measure_product(shape: load.Load, product: Product) -> tuple[load.Result, int]:
    """The product's numbers, and how many of the events it had stored in the end."""
    url = product.url  # waits until it is ready
    seed = product.manage("shell", "-c", _SEED.format(sessions=shape.sessions)).partition("SEED")[2]
    token, made = json.loads(seed)
    result = asyncio.run(_product(shape, product, url, token, made))
    return result, int(product.manage("shell", "-c", _COUNT).partition("COUNT")[2])


async def _product(
    shape: load.Load, product: Product, url: str, token: str, made: list[list[str]]
) -> load.Result:
    sidecars = [await _sidecar(product, *instance) for _, *instance in made]
    url = url.replace("http", "ws", 1)
    browsers = [
        await connect(
            f"{url}/ws/sessions/{session}/",
            additional_headers={"authorization": f"Bearer {token}"},
            compression=None,
            max_size=None,
        )
        for session, *_ in made
    ]
    # What connecting a hundred browsers at once costs is not what a frame costs.
    await asyncio.gather(*(_become_live(browser) for browser in browsers))
    drains = [asyncio.ensure_future(_drain(sidecar)) for sidecar, _ in sidecars]
    try:

        async def send(number: int, index: int, due: int) -> None:
            sidecar, first = sidecars[number]
            await sidecar.send(_frame(first + index, due))

        return await _run(shape, product.processes(), browsers, send, _watch)
    finally:
        for drain in drains:
            drain.cancel()
        for connection in (*browsers, *(sidecar for sidecar, _ in sidecars)):
            await connection.close()


async def _sidecar(product: Product, instance: str, token: str) -> tuple[ClientConnection, int]:
    """A linked sidecar and the first number that it may use."""
    link = await unix_connect(
        str(product.data.link_socket), "ws://localhost/ws/link/", compression=None, max_size=None
    )
    hello = frames.Hello(
        versions=[1],
        sidecar_version="bench",
        instance=instance,
        token=token,
        public_key=base64.b64encode(b"k" * 32).decode(),
        nonce=base64.b64encode(b"n" * 16).decode(),
    )
    await link.send(frames.encode(hello))
    await link.send(frames.encode(frames.Salvage(gen=1, events=[], done=True)))
    while True:
        frame = frames.decode_down(await link.recv())
        assert not isinstance(frame, frames.Refused), frame
        if isinstance(frame, frames.SalvageAck):
            return link, frame.next_seq


async def _drain(link: ClientConnection) -> None:
    async for _ in link:
        pass


async def _become_live(browser: ClientConnection) -> None:
    async with asyncio.timeout(DRAIN_SECONDS):
        while msgspec.json.decode(await browser.recv())["type"] != "live":
            pass


async def _watch(connection: ClientConnection, expected: int, result: load.Result) -> None:
    """Reads as a browser does: checks that numbers have no gap and acknowledges."""
    seen, last, acknowledged = 0, 0, 0
    async for message in connection:
        decoded: dict[str, Any] = msgspec.json.decode(message)
        if decoded["type"] != "events":
            continue
        for event in decoded["events"]:
            assert event["seq"] == last + 1, f"after {last} came {event['seq']}"
            last = event["seq"]
        seen += load.observe(str(message), result)
        if last - acknowledged >= ACK_EVERY:
            acknowledged = last
            await connection.send(f'{{"type":"ack","seq":{last}}}')
        if seen >= expected:
            return


async def _run(
    shape: load.Load, pids: set[int], browsers: list[ClientConnection], send: Any, read: Any
) -> load.Result:
    result = load.Result()
    readers = [asyncio.ensure_future(read(browser, shape.frames, result)) for browser in browsers]
    cpu, begin = load.cpu_seconds(pids), time.monotonic()
    start = asyncio.get_running_loop().time() + 0.2

    def sender(number: int) -> Any:
        return lambda index, due: send(number, index, due)

    await asyncio.gather(*(shape.produce(number, start, sender(number)) for number in range(shape.sessions)))
    result.sent = shape.sessions * shape.frames
    async with asyncio.timeout(DRAIN_SECONDS):
        await asyncio.gather(*readers)
    result.cpu = load.cpu_seconds(pids) - cpu
    result.seconds = time.monotonic() - begin
    return result


def _frame(seq: int, due: int) -> str:
    event = messages.Event(
        seq=seq,
        gen=1,
        turn=None,
        ts="2026-01-01T00:00:00.000Z",
        kind="message.delta",
        data={"part_id": "part", "offset": seq * 80, "text": load.stamped(due)},
    )
    return frames.encode(frames.Events(events=[event]))
