"""A session's way out, with the real box program: claimed with a policy, asked about, and changed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sidecar.protocol.egress import Egress
from tests.fakes.living import living
from tests.fakes.pair import Pair

CONNECT = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as way:
    way.sendall(f"CONNECT {sys.argv[2]} HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n".encode())
    print(way.recv(65536).decode().splitlines()[0])
"""


async def said(pair: Pair, authority: str) -> str:
    """The status line that a program in the box gets for a CONNECT."""
    assert pair.sidecar.instance is not None
    box = pair.sidecar.instance._box
    arguments = [sys.executable, "-c", CONNECT, str(box.gate_ports["egress"]), authority]
    process = await box.exec(arguments, env={}, cwd=".")
    return (await process.stream.read()).decode()


async def test_a_claim_without_a_policy_has_none(tmp_path: Path) -> None:
    async with living(tmp_path) as pair:
        await pair.ready()
        assert "policy of this session is none" in await said(pair, "example.com:443")
        await pair.station.until(lambda: "egress.blocked" in pair.station.kinds())


async def test_a_person_is_asked_without_a_turn_and_the_answer_is_journaled(tmp_path: Path) -> None:
    async with living(tmp_path) as pair:
        pair.station.egress = Egress(policy="allow-list", ask=True)
        await pair.ready()
        waiting = asyncio.create_task(said(pair, "nowhere.invalid:443"))
        await pair.station.until(lambda: "permission.asked" in pair.station.kinds())
        (asked,) = pair.station.datas("permission.asked")
        pair.station.answer(str(asked["permission_id"]), "session")
        # There is no such host, but it may be looked up now.
        assert "502" in await waiting
        await pair.station.until(lambda: "permission.answered" in pair.station.kinds())
        pair.station.order(Egress(policy="none"))
        await pair.station.until(lambda: len(pair.station.done) == len(pair.station.commands))
        assert "policy of this session is none" in await said(pair, "nowhere.invalid:443")


async def test_a_question_that_waits_is_closed_with_the_instance(tmp_path: Path) -> None:
    async with living(tmp_path) as pair:
        pair.station.egress = Egress(policy="allow-list", ask=True)
        await pair.ready()
        waiting = asyncio.create_task(said(pair, "example.com:443"))
        await pair.station.until(lambda: "permission.asked" in pair.station.kinds())
        pair.sidecar.stop("idle")
        await pair.exit()
        kinds = pair.station.kinds()
        assert kinds.index("permission.answered") < kinds.index("instance.stopped")
        assert pair.station.datas("permission.answered")[0]["choice"] == "lost"
        assert kinds[-1] == "instance.stopped"
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
