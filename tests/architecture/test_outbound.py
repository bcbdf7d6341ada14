"""The platform calls what a user chose by `openagent.lib.safe_http` only: nothing else opens connections.

Whatever can open one is named here, and where it may be used, and why. The sidecar is no part of the
platform: it has the gate.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture import sources

CLIENTS = (
    *(
        "aiohttp",
        "asyncssh",
        "boto3",
        "botocore",
        "docker",
        "ftplib",
        "h11",
        "h2",
        "http.client",
        "http.server",
    ),
    *("httpcore", "httpcore2", "httplib2", "httpx", "httpx2", "imaplib", "paramiko", "poplib", "pycurl"),
    *("redis", "requests", "smtplib", "socket", "socketserver", "ssl", "telnetlib", "urllib.request"),
    *("urllib3", "websockets", "xmlrpc"),
)
"""Modules that open connections, or others would be opened with."""

CALLS = frozenset(
    {
        *("open_connection", "open_unix_connection", "create_connection", "create_unix_connection"),
        *("create_datagram_endpoint", "sock_connect", "urlopen", "urlretrieve"),
    }
)
"""Functions that open one, whatever they are called on."""

PROGRAMS = frozenset({"curl", "wget", "nc", "ncat", "socat", "ssh", "scp", "ftp", "telnet"})
"""Programs that would do it for us."""

_ENGINE = "speaks to the socket of the engine in the settings"
ALLOWED = {
    "keys_app/keks/kms.py": (
        {"boto3", "botocore"},
        "asks the KMS of the ARN, or at the endpoint, that the settings name",
    ),
    "openagent/lib/safe_http.py": (
        {"httpcore2", "socket", "ssl"},
        "it is the one way: it checks every address and connects to the one that it checked",
    ),
    "openagent/lib/engine.py": ({"socket"}, _ENGINE),
    "openagent/management/images.py": ({"docker", "requests", "urllib3"}, _ENGINE),
    "openagent/management/part.py": ({"http.client"}, "asks the web process on 127.0.0.1 how it is"),
    "openagent/management/preparation.py": ({"socket"}, "looks whether the port to listen at is free"),
    "openagent/management/run.py": ({"http.client"}, "asks the web process on its own address how it is"),
    "openagent/management/volumes.py": ({"docker"}, _ENGINE),
    "openagent/views.py": ({"redis"}, "asks the Redis of the settings how it is"),
    "sessions_app/consumers/upkeep.py": ({"redis"}, "names the errors of its client"),
    "sessions_app/drivers/docker.py": ({"docker"}, _ENGINE),
    "sessions_app/drivers/docker_disks.py": ({"docker"}, _ENGINE),
    "sessions_app/drivers/docker_engine.py": ({"docker", "requests", "socket"}, _ENGINE),
    "sessions_app/drivers/docker_launch.py": ({"docker", "requests"}, _ENGINE),
    "sessions_app/drivers/docker_measuring.py": ({"docker"}, _ENGINE),
    "sessions_app/drivers/seccomp.py": ({"socket"}, "numbers of address families, no connection"),
    "sessions_app/relay.py": ({"redis"}, "names the errors of its client"),
}
"""By file: what may be used there, and why no user can choose where that leads."""


def opened(tree: ast.Module) -> set[str]:
    """What a file imports or calls that could open a connection."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {client for alias in node.names for client in clients(alias.name)}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found |= {client for name in names for client in clients(name)}
        elif isinstance(node, ast.Call):
            found |= called(node)
    return found


def clients(module: str) -> set[str]:
    return {client for client in CLIENTS if module == client or module.startswith(f"{client}.")}


def called(call: ast.Call) -> set[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    found = {name} & CALLS
    if name in ("import_module", "__import__") and call.args and isinstance(call.args[0], ast.Constant):
        found |= clients(str(call.args[0].value))
    first = call.args[0] if call.args else None
    if isinstance(first, ast.List | ast.Tuple) and first.elts and isinstance(first.elts[0], ast.Constant):
        # A command for a subprocess.
        found |= {str(first.elts[0].value).rpartition("/")[2]} & PROGRAMS
    return found


def platform() -> list[Path]:
    return [Path("manage.py"), *sources.files(sources.PLATFORM, ".py")]


@pytest.mark.parametrize("path", [path for path in platform() if opened(sources.parsed(path))], ids=str)
def test_only_what_is_allowed_here_opens_connections(path: Path) -> None:
    allowed, reason = ALLOWED.get(str(path), (set[str](), ""))
    strange = opened(sources.parsed(path)) - allowed
    assert not strange, f"{path} uses {strange}: call what a user chose by openagent.lib.safe_http. {reason}"


def test_nothing_is_allowed_that_is_not_used() -> None:
    used = {str(path): opened(sources.parsed(path)) for path in platform()}
    assert {path: names for path, (names, _) in ALLOWED.items()} == {path: used.get(path) for path in ALLOWED}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import httpx2", {"httpx2"}),
        ("import requests.adapters as r", {"requests"}),
        ("from urllib import request", {"urllib.request"}),
        ("from urllib.request import urlopen", {"urllib.request"}),
        ("from http import client", {"http.client"}),
        ("def f():\n    import socket", {"socket"}),
        ("from websockets.sync.client import connect", {"websockets"}),
        ("async def f(): await asyncio.open_connection(host, 443)", {"open_connection"}),
        ("loop.create_connection(factory, host)", {"create_connection"}),
        ("importlib.import_module('aiohttp')", {"aiohttp"}),
        ("subprocess.run(['/usr/bin/curl', url])", {"curl"}),
        ("from urllib.parse import urlsplit", set()),
        ("from http import HTTPStatus", set()),
        ("from openagent.lib import safe_http; safe_http.fetch('GET', url)", set()),
    ],
)
def test_what_opens_a_connection_is_seen(code: str, found: set[str]) -> None:
    assert opened(ast.parse(code)) == found
