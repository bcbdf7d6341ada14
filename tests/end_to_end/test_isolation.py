"""A hostile agent hunts for everything that is not its own, from a real box, while its key is in use."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.container_product import own_address
from tests.end_to_end.client import Client, texts
from tests.end_to_end.custom_agents import WORKING
from tests.end_to_end.instance import Instance
from tests.end_to_end.rig import KEY, Rig
from tests.fakes import hunter

DECOY = "decoy-0Kd8sQw2Zx7Pv5Lm9Rt3"
"""What a hunter has to find, or it cannot hunt."""
MARK = "mark-of-another-session-4Hn6"


def hunt(rig: Rig, session: str, instance: Instance, other: Instance) -> dict[str, Any]:
    """Lets the session's agent run the hunter in its box; what the hunter reports."""
    data = rig.product.data
    port = int(rig.product.url.rpartition(":")[2])
    provider = rig.provider.url.removeprefix("http://").partition("/")[0].split(":")
    wanted = {
        "secrets": {"key": hunter.mask(KEY), "mark": hunter.mask(MARK), "decoy": hunter.mask(DECOY)},
        "addresses": [
            *(["127.0.0.1", port], ["127.0.0.1", int(provider[1])], [own_address(), port], ["1.1.1.1", 443]),
            *([str(path), 0] for path in (data.link_socket, rig.link.path, data.redis_socket)),
        ],
        "paths": [
            *map(str, (data.root, data.database, data.secrets, data.run, instance.folder, other.folder)),
            *map(str, (instance.journal, other.workspace, Path(__file__), "/run/openagent/config.json")),
        ],
    }
    (instance.workspace / "hunt.json").write_text(json.dumps(wanted))
    shutil.copy(hunter.__file__, instance.workspace / "hunter.py")
    (instance.workspace / "decoy.txt").write_text(f"something {DECOY} something")
    for name in ("hunt.json", "hunter.py", "decoy.txt"):
        (instance.workspace / name).chmod(0o644)
    turn = rig.client.prompt(session, f"/demo run python3 hunter.py # {DECOY}")
    ended = rig.client.ended(session, turn, 120)
    tool = next(item for item in ended["items"] if item["type"] == "tool")
    assert "hunt over" in tool["output"], tool
    report: dict[str, Any] = json.loads((instance.workspace / "report.json").read_text())
    return report


def everything_answered(client: Client, session: str) -> bytes:
    """Every answer of the API that could have to do with the key."""
    paths = [
        "/me/",
        "/keys/",
        "/providers/",
        "/agents/",
        "/tokens/",
        "/usage/",
        "/permissions/",
        "/sessions/",
    ]
    parts = ("", "prompts/", "events/?after=0&limit=500", "conversation/", "usage/", "files/?path=")
    paths += [f"/sessions/{session}/{part}" for part in parts]
    return b"\n".join(client.raw("GET", path).content for path in paths)


def everything_in_redis(rig: Rig) -> bytes:
    """All keys and values, whatever their type."""
    with redis.Redis(unix_socket_path=str(rig.product.data.redis_socket)) as server:
        return b"\n".join(key + b" " + (server.dump(key) or b"") for key in server.scan_iter())


def stored(hunt: hunter.Hunt, root: Path) -> None:
    """Looks through every file below the data directory, whosever it is."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.name not in ("hunt.json", "hunter.py"):
            hunt.search(str(path.relative_to(root)), hunter.read(str(path)))


@pytest.fixture
def pair(broken: Rig) -> tuple[str, str]:
    """A session that hunts, and another one that is awake beside it and has something to hide."""
    other = broken.session(WORKING)
    turn = broken.client.prompt(other, f"/demo run printf {MARK} > mark.txt; sleep 0.1; cat mark.txt")
    assert broken.client.ended(other, turn)["stop_reason"] == "end_turn"
    return broken.client.new_session(**broken.model, mode="auto"), other


def test_a_hostile_agent_finds_no_way_out_and_nothing_of_others(broken: Rig, pair: tuple[str, str]) -> None:
    client, (session, other_session) = broken.client, pair
    turn = client.prompt(session, "/demo plain")
    assert texts(client.ended(session, turn))
    instance = Instance(broken.product, client, session)
    other = Instance(broken.product, client, other_session)
    assert MARK in (other.workspace / "mark.txt").read_text()
    calls = len(broken.provider.exchanges)
    report = hunt(broken, session, instance, other)

    # The key was in use while the hunter looked, and the hunter does find what is there.
    assert {exchange.key for exchange in broken.provider.exchanges[calls:]} == {KEY}
    found = set(report["found"]["decoy"])
    assert {"file /workspace/decoy.txt", "memory of our child"} <= found, report
    assert any(place.startswith("file /home/agent/") for place in found), "the agent remembers its prompt"
    assert report["bytes"] > 100_000_000 and report["processes"] >= 3

    assert report["found"]["key"] == report["found"]["mark"] == []
    assert (report["interfaces"], report["routes"]) == (["lo"], [])
    assert report["sockets"] in ([], ["/run/openagent/box.sock"])
    assert report["reached"] == [] and report["visible"] == []

    # Outside: not in a file, a row, a log, Redis or an answer. Titles are, so the search works there too.
    outside = hunter.Hunt({"key": KEY, "prompt": "/demo run python3 hunter.py"})
    stored(outside, broken.product.data.root)
    outside.search("redis", iter([everything_in_redis(broken)]))
    outside.search("answers", iter([everything_answered(client, session)]))
    assert outside.found["key"] == []
    assert "answers" in outside.found["prompt"] and any(
        "db.sqlite3" in place for place in outside.found["prompt"]
    )
    for half in ("sidecar", "box"):
        process = Path("/proc", str(instance.pids[half]))
        outside.search(half, iter([(process / "environ").read_bytes() + (process / "cmdline").read_bytes()]))
    assert outside.found["key"] == []
