"""Whoever else speaks on the link, with whatever frames, is refused and told why; no session is spoilt."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, unix_connect

from sidecar.protocol import frames
from tests.end_to_end.client import eventually
from tests.end_to_end.custom_agents import WORKING
from tests.end_to_end.instance import Instance
from tests.end_to_end.reader import Reader
from tests.end_to_end.rig import Rig
from tests.end_to_end.turns import check_answered, check_one_clean_turn

SPEECH = "/demo long 150 40ms"
ENDLESS = "/demo long 9000 40ms"
ANSWER_SECONDS = 30.0
TAKEN_BACK = 4409
"""The instance's true sidecar came again before the frame was read."""
TOO_LONG = json.dumps({"type": "answer", "id": "1", "data": {"content": "x" * frames.MAX_FRAME_BYTES}})


def connect(rig: Rig, **headers: str) -> ClientConnection:
    """A connection past the proxy of the rig, which is for the real sidecars."""
    return unix_connect(
        str(rig.product.data.link_socket),
        "ws://localhost/ws/link/",
        additional_headers=headers,
        compression=None,
        open_timeout=ANSWER_SECONDS,
        close_timeout=2,
    )


def hello(rig: Rig, instance: Instance, **fields: Any) -> str:
    """The hello of this instance's own sidecar, as whoever has read its secrets could say it."""
    with sqlite3.connect(f"file:{rig.product.data.database}?mode=ro", uri=True) as rows:
        (key,) = rows.execute(
            "SELECT public_key FROM sessions_app_instance WHERE id = ?", [instance.id.replace("-", "")]
        ).fetchone()
    said = {
        "type": "hello",
        "versions": list(frames.PROTOCOL_VERSIONS),
        "sidecar_version": "0",
        "instance": instance.id,
        "token": json.loads((instance.folder / "config.json").read_text())["token"],
        "public_key": key,
        "nonce": base64.b64encode(os.urandom(16)).decode(),
        "gen": instance.generation,
        "last_command": 1000,
    }
    return json.dumps({**said, **fields})


def closed_with(link: ClientConnection, frame: str | bytes) -> int:
    """The code with which the platform ends the connection after this frame; 1006 when it just hangs up."""
    try:
        link.send(frame)
        while True:
            link.recv(timeout=ANSWER_SECONDS)
    except ConnectionClosed as closed:
        return code_of(closed)


def code_of(closed: ConnectionClosed) -> int:
    return closed.rcvd.code if closed.rcvd else 1006


def event(seq: int, gen: int, **fields: Any) -> str:
    said = {
        **{"v": 1, "seq": seq, "gen": gen, "turn": None, "ts": "2026-01-01T00:00:00.000Z"},
        **{"kind": "file.changed", "data": {"path": "x"}},
    }
    return json.dumps({"type": "events", "events": [{**said, **fields}]})


def nonsense(instance: Instance, stored: int) -> list[str | bytes]:
    """Frames that no sidecar sends to a platform that has stored events up to this number."""
    gen = instance.generation
    return [
        *("}{", b"\xff\xfe", '{"type":"shout"}', "[" * 100_000, TOO_LONG, '{"type":"hello"}'),
        event(stored + 2, gen),
        event(stored + 1, gen + 1),
        event(stored + 1, gen, kind="message.shouted"),
        event(stored + 1, gen, data={"path": 7}),
    ]


def say_nonsense(rig: Rig, instance: Instance, number: int) -> tuple[int, str | bytes]:
    """How the platform ends the link of this instance after such a frame, and the frame."""
    with connect(rig) as link:
        link.send(hello(rig, instance))
        try:
            welcome = json.loads(link.recv(timeout=ANSWER_SECONDS))
        except ConnectionClosed as closed:
            return code_of(closed), ""
        assert welcome["type"] == "welcome"
        frame = nonsense(instance, welcome["stored_seq"])[number]
        return closed_with(link, frame), frame


def test_strangers_and_nonsense_disturb_no_turn(broken: Rig) -> None:
    """The worst nonsense comes from somebody with the true token and key, who takes the link each time."""
    client, session = broken.client, broken.session(WORKING)
    instance = Instance(broken.product, client, session)
    with Reader(client, session) as reader:
        turn = client.prompt(session, SPEECH)
        reader.wait_for_text(turn, 100)
        for headers in ({"cookie": "sessionid=x"}, {"origin": broken.product.url}):
            with pytest.raises(InvalidStatus) as refused:
                connect(broken, **headers)
            assert refused.value.response.status_code == 403
        with connect(broken) as link:
            assert closed_with(link, hello(broken, instance, token="0" * 64)) == 4403
        for number in range(len(nonsense(instance, 0))):
            code, frame = say_nonsense(broken, instance, number)
            while code == TAKEN_BACK:
                code, frame = say_nonsense(broken, instance, number)
            # Whose message is longer than any may be is hung up on before it is over.
            expected = {4400} if frame is not TOO_LONG else {4400, 1009, 1006}
            assert code in expected, frame[:80]
        check_one_clean_turn(client, reader, session, SPEECH, turn)
    assert Instance(broken.product, client, session).id == instance.id


def test_a_second_sidecar_with_a_stolen_token_ends_the_instance_and_is_told_of(broken: Rig) -> None:
    client, session = broken.client, broken.session(WORKING)
    instance = Instance(broken.product, client, session)
    with Reader(client, session) as reader:
        turn = client.prompt(session, ENDLESS)
        reader.wait_for_text(turn, 100)
        its_own = hello(broken, instance)
        with connect(broken) as link:
            another_key = base64.b64encode(os.urandom(32)).decode()
            assert closed_with(link, hello(broken, instance, public_key=another_key)) == 4403
        lost = reader.wait_for_event("turn.ended", turn)
        assert lost["data"]["stop_reason"] == "interrupted"
        told = [notice["data"] for notice in client.conversation(session)["notices"]]
        assert any("A second sidecar showed this instance's token" in str(data) for data in told)
        # The first one is not trusted either: nothing of the instance is left.
        eventually(lambda: not instance.folder.exists(), 60, lambda: "the instance is still there")
        with connect(broken) as link:
            assert closed_with(link, its_own) == 4403, "its token has been used up"
        following = client.prompt(session, "/demo plain")
        reader.wait_for_event("turn.ended", following)
        check_answered(client, session, "/demo plain", following)
    assert not reader.log.complaints, reader.describe()
    assert Instance(broken.product, client, session).generation == instance.generation + 1
