"""Hunts for secrets: a hunter in a session's box, and a look through everything outside of boxes."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import redis

from tests import needs
from tests.container_product import ContainerProduct, own_address
from tests.end_to_end.client import eventually, sign_in
from tests.end_to_end.instance import Instance
from tests.end_to_end.rig import KEY, Rig
from tests.end_to_end.sites import ContainerSite
from tests.fakes import dresses, hunter, poking

DECOY = "decoy-0Kd8sQw2Zx7Pv5Lm9Rt3"
"""What a hunter has to find, or it cannot hunt."""
MARK = "mark-of-another-session-4Hn6"
PROMPT = "/demo run python3 hunter.py"
SECONDS = 800.0
AFTERWARDS_SECONDS = 240.0
PROGRAMS = (hunter, poking)
PLANTED = "planted"
DELETED = 2
"""What the engine calls a change that leaves nothing to look at."""
_OURS = {"hunt.json", "hunter.py", "poking.py"}


def hunt(
    rig: Rig, session: str, instance: Instance, other: Instance, *, is_thorough: bool = False
) -> dict[str, Any]:
    """Lets the session's agent run the hunter in its box; what the hunter reports."""
    data = rig.product.data
    port = int(rig.product.url.rpartition(":")[2])
    provider = rig.provider.url.removeprefix("http://").partition("/")[0].split(":")
    wanted = {
        "is_thorough": is_thorough,
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
    plant(instance.workspace, json.dumps(wanted))
    turn = rig.client.prompt(session, f"{PROMPT} # {DECOY}")
    ended = rig.client.ended(session, turn, SECONDS)
    # It appears whole. Some agents do not wait for a command that takes so long.
    made = instance.workspace / "report.json"
    eventually(made.exists, AFTERWARDS_SECONDS, lambda: f"no report: {ended}")
    report: dict[str, Any] = json.loads(made.read_text())
    return report


def plant(workspace: Path, wanted: str) -> None:
    """The hunter, what it is to look for, and the decoy in every form."""
    (workspace / "hunt.json").write_text(wanted)
    for program in PROGRAMS:
        shutil.copy(str(program.__file__), workspace)
    folder = workspace / PLANTED
    folder.mkdir()
    for name, dress in dresses.FORMS.items():
        (folder / name).write_bytes(b"something " + dress(DECOY.encode()) + b" something")
    for path in (folder, *folder.iterdir(), *map(workspace.joinpath, _OURS)):
        path.chmod(0o755)


def look_outside(rig: Rig, session: str) -> hunter.Hunt:
    """Looks through everything that is kept, logged, answered or shown outside of boxes."""
    found = hunter.Hunt({"key": KEY, "prompt": PROMPT})
    root = rig.product.data.root
    for path in _files(root):
        found.search(str(path.relative_to(root)), hunter.read(str(path)))
    found.search("dump", _database(rig))
    found.search("redis", iter([_everything_in_redis(rig)]))
    found.search("output", iter([rig.product.output.encode()]))
    found.search("answers", iter([_everything_answered(rig, session)]))
    found.search("refusals", iter(_refused(rig)))
    found.search("admin", iter(_admin(rig)))
    for pid in rig.product.processes():
        for name in ("environ", "cmdline"):
            found.search(f"process {name}", hunter.read(f"/proc/{pid}/{name}"))
    return found


def _files(root: Path) -> Iterator[Path]:
    """All but what we put there. The product works on: a folder may go while it is looked through."""
    for folder, _, names in os.walk(root):
        found = (Path(folder, name) for name in names if name not in _OURS)
        yield from (path for path in found if path.is_file() and not path.is_symlink())


_clean_images: set[str] = set()
"""Those without the key; what is in an image never changes."""


def look_at_the_engine(rig: Rig, found: hunter.Hunt) -> None:
    """Whoever may use the engine sees settings, logs, layers and files of containers and their images."""
    product = rig.product
    assert isinstance(product, ContainerProduct)
    api = product.engine.api
    images = set()
    for container in ContainerSite(product.engine, product.data.root).containers():
        number = container["Id"]
        images.add(container["Image"])
        changes = api.diff(number) or []
        found.search("container", iter([json.dumps(container).encode(), json.dumps(changes).encode()]))
        found.search("container's log", iter([api.logs(number)]))
        for path in _changed(changes):
            found.search("container's files", api.get_archive(number, path)[0])
    for image in images - _clean_images:
        told = [json.dumps(each).encode() for each in (api.inspect_image(image), api.history(image))]
        found.search("image", iter(told))
        found.search("image's layers", api.get_image(image))
    if found.found["key"] == []:
        _clean_images.update(images)


def _changed(changes: list[dict[str, Any]]) -> list[str]:
    """What is in a container and not in its image: not the folders around it, which are whole in there."""
    there = {change["Path"] for change in changes if change["Kind"] != DELETED}
    around = {str(parent) for path in there for parent in Path(path).parents}
    return sorted(there - around)


def _database(rig: Rig) -> Iterator[bytes]:
    """All rows as a dump has them."""
    if url := rig.product.database_url:
        dump = [str(needs.postgres() / "pg_dump"), "--inserts", url]
        yield subprocess.run(dump, check=True, capture_output=True).stdout
        return
    with sqlite3.connect(f"file:{rig.product.data.database}?mode=ro", uri=True) as database:
        for line in database.iterdump():
            yield line.encode() + b"\n"
    database.close()


def _everything_in_redis(rig: Rig) -> bytes:
    """All keys and values, whatever their type."""
    with redis.Redis(unix_socket_path=str(rig.product.data.redis_socket)) as server:
        return b"\n".join(key + b" " + (server.dump(key) or b"") for key in server.scan_iter())


def _everything_answered(rig: Rig, session: str) -> bytes:
    """Every answer of the API that could have to do with the key, its description, and what is exported."""
    client = rig.client
    names = ("me", "keys", "providers", "agents", "tokens", "usage", "permissions", "sessions", "budgets")
    paths = [f"/{name}/" for name in (*names, "egress/rules", "egress/bounds")]
    paths += [f"/keys/{key['id']}/uses/" for key in client.get("/keys/")["results"]]
    parts = (
        "",
        "prompts/",
        "events/?after=0&limit=500",
        "conversation/",
        "usage/",
        "egress/",
        *("files/?path=", "changes/"),
        "terminals/",
    )
    paths += [f"/sessions/{session}/{part}" for part in parts]
    for terminal in client.get(f"/sessions/{session}/terminals/")["results"]:
        if terminal["has_transcript"]:
            kept = f"/sessions/{session}/terminals/{terminal['id']}/transcript/"
            paths += [kept, f"{kept}?as=raw", f"{kept}?as=asciicast"]
    got = [client.raw("GET", path) for path in paths]
    got += [
        client.raw("GET", f"/usage/?group={each}", headers={"accept": "text/csv"}) for each in ("day", "key")
    ]
    # Not every terminal is recorded.
    refused = [
        each.url for each in got if each.status_code != 200 and each.url.params.get("as") != "asciicast"
    ]
    assert not refused, refused
    answers = [each.content for each in got]
    with httpx2.Client(base_url=client.url, timeout=30) as anybody:
        told = ("/api/schema/", "/api/docs/", "/metrics", "/healthz", "/readyz", "/", "/no/such/page")
        answers += [anybody.get(path).content for path in told]
    return b"\n".join(answers)


def _refused(rig: Rig) -> list[bytes]:
    """What is said to requests that have the key in a wrong place."""
    client = rig.client
    bodies: list[Any] = [
        *(
            {"provider": "no-such", "key": KEY},
            {"provider": KEY, "key": KEY},
            {"provider": ["x"], "key": KEY},
        ),
        *({"provider": "openai", "key": [KEY]}, {"provider": "openai", "key": f"{KEY}\nx"}, [KEY], KEY),
        {"provider": "openai", "key": KEY, "label": "x" * 5000},
    ]
    answers = [client.raw("POST", "/keys/", json=body) for body in bodies]
    answers.append(client.raw("POST", "/keys/", content=f'{{"key": "{KEY}", '.encode()))
    answers.append(client.raw("PUT", "/keys/", json={"key": KEY}))
    answers.append(client.raw("POST", "/keys/", headers={"content-type": "text/plain"}, content=KEY.encode()))
    assert all(400 <= answer.status_code < 500 for answer in answers), [each.text for each in answers]
    return [answer.content for answer in answers]


def _admin(rig: Rig) -> list[bytes]:
    """The admin's pages of keys and their uses."""
    url = rig.product.url
    cookies = {cookie["name"]: cookie["value"] for cookie in sign_in(url)}
    with httpx2.Client(base_url=f"{url}/admin/keys_app", cookies=cookies, timeout=30) as browser:
        pages = [browser.get(f"/{model}/") for model in ("providerkey", "keyuse")]
        for key in rig.client.get("/keys/")["results"]:
            pages.append(browser.get(f"/providerkey/{key['id']}/change/"))
    assert any(page.status_code == 200 for page in pages)
    return [page.content for page in pages]
