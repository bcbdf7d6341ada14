"""Prepares what deploy/compose.yml runs: `manage.py compose --url https://agents.example.com`.

Builds the images, makes the data directory with its secrets, and writes the file that compose reads its
variables from, if it is not there yet. Again after an update: what is there stays, what changed is built.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from openagent.lib import data_dir, engine, env, own_addresses
from openagent.lib.data_dir import CHECKOUT, DataDir
from openagent.management import images, preparation
from openagent.management.preparation import CannotStart

_DEPLOY = CHECKOUT / "deploy"
_FRONTEND = CHECKOUT / "frontend" / "dist"
_DRIVER = "docker"
# The user of the platform's image, when root prepares; else it is whoever prepares.
_USER = 10003
_USER_OF_BOTH = 0o444


def main(arguments: Sequence[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="manage.py compose", description="Prepares deploy/compose.yml.")
    parser.add_argument("--url", default="", help="the address that users type; for the first time")
    parser.add_argument("--data-dir", type=Path, help="where the data is to be; for the first time")
    parser.add_argument("--env-file", type=Path, default=_DEPLOY / ".env", help="what compose reads")
    options = parser.parse_args(arguments)
    os.umask(0o077)
    try:
        _prepare(options.env_file.absolute(), options.url, options.data_dir)
    except (CannotStart, env.SettingError) as error:
        print(f"Cannot prepare: {error}", file=sys.stderr)
        return 1
    return 0


def _prepare(file: Path, url: str, root: Path | None) -> None:
    values = _read(file) if file.exists() else _values(file, url, root)
    data = DataDir(Path(values["OPENAGENT_DATA_DIR"]))
    if not _FRONTEND.is_dir():
        raise CannotStart("There is no frontend/dist. Run: make compose")
    if not file.exists() and data.database.exists():
        raise CannotStart(f"{data.root} has the sessions of `make up`. Choose another DATA_DIR.")
    if data.driver.exists() and data.chosen_driver != _DRIVER:
        raise CannotStart(f"The sessions in {data.root} have no containers. Choose another --data-dir.")
    _make(data, int(values["PLATFORM_USER"].partition(":")[0]))
    with images.connected() as client:
        agents = env.path("OPENAGENT_AGENTS_DIR", data.agents)
        images.build(client, agents, say=print, roles=(*engine.ROLES, engine.PLATFORM))
    if not file.exists():
        _write(file, values)
        print(f"Wrote {file}: look through it, it says where certificates come from.")
    code = (data.secrets / "setup-code").read_text().strip()
    print(f"Set-up code, asked for when the first account is made: {code}")
    print(f"Start it with: docker compose --env-file {file} -f {_DEPLOY / 'compose.yml'} up -d")


def _values(file: Path, url: str, root: Path | None) -> dict[str, str]:
    """What this host and this checkout fill into the example."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise CannotStart("Name the address that users type: make compose URL=https://agents.example.com")
    settings = engine.current()
    data = DataDir((root or data_dir.current().root).expanduser().absolute())
    user = (_USER, _USER) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    try:
        group = settings.socket.stat().st_gid
    except OSError:
        raise CannotStart(f"There is no engine's socket {settings.socket}. Start Docker.") from None
    return {
        "ENV_FILE": str(file),
        "OPENAGENT_PUBLIC_URL": url.rstrip("/"),
        "SITE": parts.hostname,
        "CERTIFICATES": str(data.root / "certificates"),
        "OPENAGENT_DATA_DIR": str(data.root),
        "PLATFORM_USER": "{}:{}".format(*user),
        "ENGINE_GROUP": str(group),
        "ENGINE_SOCKET": str(settings.socket),
        "OPENAGENT_HOST_ADDRESSES": ",".join(sorted(own_addresses.of_interfaces())),
        "OPENAGENT_PLATFORM_IMAGE": settings.platform,
        "OPENAGENT_SIDECAR_IMAGE": settings.sidecar,
        "OPENAGENT_BOX_IMAGE": settings.box,
    }


def _read(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text().splitlines() if "=" in line and not line.startswith("#")]
    values = dict(line.split("=", 1) for line in lines)
    if missing := {"OPENAGENT_DATA_DIR", "PLATFORM_USER"} - set(values):
        raise CannotStart(f"{file} does not say {', '.join(sorted(missing))}: see compose.env.example.")
    return values


def _write(file: Path, values: dict[str, str]) -> None:
    lines = []
    for line in (_DEPLOY / "compose.env.example").read_text().splitlines():
        name = line.partition("=")[0]
        lines.append(f"{name}={values[name]}" if name in values else line)
    file.write_text("\n".join(lines) + "\n")


def _make(data: DataDir, user: int) -> None:
    """The folders that containers mount, the secrets, and what a start chooses elsewhere."""
    preparation.make_directories(data)
    proxy = data.root / "proxy"
    for folder in (proxy, data.root / "certificates"):
        folder.mkdir(mode=0o700, exist_ok=True)
    preparation.make_secrets(data)
    preparation.make_secret(data.secrets / "setup-code", f"{secrets.randbelow(10**8):08d}")
    # Two users read it, each in containers of its own, and nobody else can get at it: the folder is closed.
    password = data.secrets / "database-password"
    preparation.make_secret(password, secrets.token_urlsafe(32))
    password.chmod(_USER_OF_BOTH)
    url = f"postgres://openagent:{quote(password.read_text().strip(), safe='')}@database:5432/openagent"
    preparation.make_secret(data.secrets / "database-url", url)
    data.supervisor_lock.touch(mode=0o600)
    data.driver.write_text(f"{_DRIVER}\n")
    if os.geteuid() == 0:
        _give(data, proxy, user)


def _give(data: DataDir, proxy: Path, user: int) -> None:
    """Root makes it, the platform's user works in it."""
    folders = [data.root, data.run, data.link_socket.parent, data.static, data.secrets, proxy]
    files = [data.driver, data.supervisor_lock, *data.secrets.iterdir()]
    for path in (*folders, proxy.parent / "certificates", *files):
        os.chown(path, user, user)
