"""What a sidecar reaches of its own host, without the firewall rules of the docs and with them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from openagent.lib.data_dir import CHECKOUT
from tests.docker_fixtures import (
    BUILD_SECONDS,
    container_engine,
    docker_data,
    docker_options,
    dockers,
    probe_images,
    real_images,
)
from tests.fakes.docker_host import DockerHost

__all__ = ["container_engine", "docker_data", "docker_options", "dockers", "probe_images", "real_images"]

pytestmark = [pytest.mark.timeout(BUILD_SECONDS), pytest.mark.slow]

_PAGE = CHECKOUT / "docs" / "docker-driver.md"


@contextmanager
def service(address: str) -> Iterator[int]:
    """The port of one that greets whoever comes."""
    with socket.create_server((address, 0)) as server:

        def greet() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"hello")

        thread = threading.Thread(target=greet)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def rules_of_the_docs(installation: str) -> Iterator[None]:
    """As an administrator would type them, for this installation's bridge alone; gone afterwards."""
    found = re.search(r"```sh\n(iptables .*?)```", _PAGE.read_text(), re.DOTALL)
    assert found, "the page has no rules"
    # The engine may change rules for another test meanwhile.
    lines = [f"{line} --wait" for line in found[1].replace("ID", installation).splitlines()]
    try:
        for line in lines:
            subprocess.run(line.split(), check=True)
        yield
    finally:
        for line in reversed(lines):
            words = ["-D" if word == "-I" else word for word in line.split() if word != "1"]
            subprocess.run(words, check=False, stderr=subprocess.DEVNULL)


def test_the_rules_of_the_docs_keep_sidecars_from_the_ports_of_their_host(dockers: DockerHost) -> None:
    if os.geteuid() != 0 or not shutil.which("iptables"):
        pytest.skip("only root sets up a firewall, and iptables is needed")
    ref, probe = dockers.start()
    (network,) = dockers.inspect(ref, "sidecar")["NetworkSettings"]["Networks"].items()
    name, gateway = network[0].removeprefix("openagent-"), network[1]["Gateway"]

    def reach(port: int, *, seconds: int = 20) -> str:
        connection = f"socket.create_connection(('{gateway}', {port}), {seconds})"
        return probe.here(f"import socket; print({connection}.recv(9).decode())").strip()

    with service("0.0.0.0") as everywhere, service("127.0.0.1") as inside:
        assert reach(everywhere) == "hello", "without rules, whatever listens on all addresses"
        assert reach(inside) == "ConnectionRefusedError"
        with rules_of_the_docs(name):
            assert reach(everywhere, seconds=2) == "TimeoutError"
        assert reach(everywhere) == "hello", "the rules are gone"
