"""The one command: serves, restarts what ends, stops in order and leaves no process."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import struct
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import needs
from tests.end_to_end.pool import wait_for_member
from tests.product import Product, data_directory, running

LISTENING = "0A"

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.timeout(600)
def test_a_first_run_and_the_next_one_on_the_same_data() -> None:
    """From nothing, and in one test, for a start takes longer than all that is looked at here."""
    needs.redis()
    needs.opencode()
    needs.bubblewrap()
    with data_directory() as data:
        # As it comes, with an agent that waits for the first session.
        first = Product(data, OPENAGENT_POOL="opencode=1")
        try:
            check_pages(first)
            check_that_only_loopback_listens(first)
            check_link_socket(first)
            check_what_others_can_read(first)
            for name in ("web", "worker", "beat", "redis"):
                check_that_it_is_started_again(first, name)
            check_that_a_second_run_is_refused(first)
            wait_for_member(first.url)
            check_stop(first, signal.SIGINT)
        finally:
            first.end()
        made = when_made(first)
        assert made
        second = Product(data, "--host", "0.0.0.0")
        try:
            eventually(lambda: is_ready(second))
            assert when_made(second) == made
            assert second.url.startswith("http://127.0.0.1:")
            # Other machines reach it.
            assert listens_at(second) == {"0.0.0.0"}
            code = "Set-up code, asked for when the first account is made: "
            eventually(lambda: code in second.output)
            second.kill()
            eventually(lambda: second.processes() == set())
        finally:
            second.end()


def test_a_given_redis_may_be_away_and_without_the_supervisor_everything_ends() -> None:
    with running(REDIS_URL="redis://127.0.0.1:1/0") as product:
        assert json.loads(get(f"{product.url}/readyz")) == {
            "status": "degraded",
            "checks": {"database": "ok", "redis": "unreachable", "instances": "ok"},
        }
        assert product.part("redis") is None
        supervisor = product.part("supervisor")
        assert supervisor is not None
        os.kill(supervisor, signal.SIGKILL)
        assert product.wait(60) == 1
        assert "The supervisor ended by itself" in product.output
        assert product.processes() == set()


def test_a_port_in_use_is_named() -> None:
    needs.redis()
    with socket.create_server(("127.0.0.1", 0)) as other, data_directory() as data:
        port = other.getsockname()[1]
        product = Product(data, "--port", str(port))
        assert product.wait(180) == 1
        assert f"Port {port} is in use" in product.output


def test_a_setting_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    product = Product(tmp_path / "data", OPENAGENT_PORT="many")
    assert product.wait(60) == 1
    assert product.output == "Cannot start: OPENAGENT_PORT must be a whole number.\n"


def check_pages(product: Product) -> None:
    assert json.loads(get(f"{product.url}/readyz"))["checks"] == {
        "database": "ok",
        "redis": "ok",
        "instances": "ok",
    }
    assert "<html" in get(product.url)
    assert "swagger-ui" in get(f"{product.url}/api/docs/")
    assert "/static/admin/css/base" in get(f"{product.url}/admin/login/")


def check_that_only_loopback_listens(product: Product) -> None:
    """So no code is needed."""
    assert product.url.startswith("http://127.0.0.1:")
    assert listens_at(product) == {"127.0.0.1"}
    assert "Set-up code" not in product.output


def listens_at(product: Product) -> set[str]:
    """The addresses at which the kernel takes connections to its port: proc_pid_net(5)."""
    port, found = int(product.url.rpartition(":")[2]), set()
    for family, table in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            address, _, number = line.split()[1].partition(":")
            if line.split()[3] == LISTENING and int(number, 16) == port:
                words = [int(address[at : at + 8], 16) for at in range(0, len(address), 8)]
                found.add(socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words)))
    return found


def check_link_socket(product: Product) -> None:
    """Sidecars reach it over a socket that other users may open, and see nothing beside it."""
    assert list(product.data.link_socket.parent.iterdir()) == [product.data.link_socket]
    assert product.data.link_socket.stat().st_mode & 0o777 == 0o666
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(product.data.link_socket))
        link.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b"200 OK" in link.recv(4096)


def check_what_others_can_read(product: Product) -> None:
    """Nothing of ours."""
    data = product.data
    for path in (*data.root.iterdir(), *data.run.iterdir(), *data.logs.iterdir(), *data.secrets.iterdir()):
        with contextlib.suppress(FileNotFoundError):  # While it works, files come and go.
            mode = path.lstat().st_mode & 0o777
            assert mode & 0o044 == 0, f"{path} has mode {mode:o}"


def check_that_it_is_started_again(product: Product, name: str) -> None:
    """A part that dies."""
    eventually(lambda: product.part(name))
    before = product.part(name)
    assert before is not None
    os.kill(before, signal.SIGKILL)
    eventually(lambda: product.part(name) not in {None, before})
    eventually(lambda: is_ready(product))
    eventually(lambda: f"{name} ended (terminated by SIGKILL" in product.output)


def check_that_a_second_run_is_refused(product: Product) -> None:
    second = Product(product.data.root)
    assert second.wait(180) == 1
    assert f"already runs on {product.data.root} (process {product.pid})" in second.output
    eventually(lambda: is_ready(product))


def check_stop(product: Product, number: int) -> None:
    """It ends in time, in order, and leaves no process."""
    assert product.url
    eventually(lambda: product.part("worker") and product.part("beat"))
    begin = time.monotonic()
    assert product.stop(number) == 0
    # What it waits for takes 15 s at most (test_parts.py), and a busy machine takes longer for all the rest.
    assert time.monotonic() - begin < 30
    assert product.processes() == set()
    assert "Stopping...\n" in product.output and product.output.endswith("Stopped.\n")


def when_made(product: Product) -> dict[Path, int]:
    """What a first start writes and later ones only use."""
    folders = (product.data.static, product.data.secrets)
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return {file: file.stat().st_mtime_ns for file in files}


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        text: str = answer.read().decode()
        return text


def eventually(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def is_ready(product: Product) -> bool:
    try:
        return bool(json.loads(get(f"{product.url}/readyz"))["status"] == "ok")
    except (OSError, http.client.HTTPException):
        return False
