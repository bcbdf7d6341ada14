"""What a run needs is made once, and whatever stands in its way is named."""

from __future__ import annotations

import base64
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from openagent.lib.data_dir import DataDir
from openagent.management import preparation
from openagent.management.preparation import CannotStart
from tests import ports
from tests.product import data_directory


@pytest.fixture
def data() -> Iterator[DataDir]:
    with data_directory() as root:
        yield DataDir(root / "data")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_others_can_pass_to_the_sockets_and_see_nothing(data: DataDir) -> None:
    preparation.make_directories(data)
    preparation.make_directories(data)
    passages = (data.root, data.run, data.link_socket.parent, data.sessions)
    assert [mode(path) for path in passages] == [0o711] * 4
    assert [mode(path) for path in (data.secrets, data.logs, data.static)] == [0o700] * 3


def test_parents_that_it_makes_can_be_passed_too(data: DataDir) -> None:
    deeper = DataDir(data.root / "a" / "b")
    mask = os.umask(0o077)
    try:
        preparation.make_directories(deeper)
    finally:
        os.umask(mask)
    assert mode(data.root) == mode(data.root / "a") == 0o711


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives sessions users of their own")
def test_a_closed_parent_is_named(data: DataDir) -> None:
    data.root.mkdir(mode=0o700)
    with pytest.raises(CannotStart, match=f"cannot enter {data.root}"):
        preparation.make_directories(DataDir(data.root / "inside"))


def test_a_path_that_is_too_long_for_a_socket_is_refused(data: DataDir) -> None:
    with pytest.raises(CannotStart, match="too long for a socket"):
        preparation.make_directories(DataDir(data.root / ("x" * 100)))
    assert not data.root.exists()


def test_a_directory_that_cannot_be_made_is_named(data: DataDir) -> None:
    data.root.mkdir()
    (data.root / "file").touch()
    with pytest.raises(CannotStart, match=r"file.*--data-dir"):
        preparation.make_directories(DataDir(data.root / "file" / "inside"))


def test_secrets_are_made_once_and_for_the_owner_only(data: DataDir) -> None:
    preparation.make_directories(data)
    preparation.make_secrets(data)
    files = (data.secret_key, data.key_encryption_key)
    first = [file.read_text() for file in files]
    preparation.make_secrets(data)
    assert [file.read_text() for file in files] == first
    assert [mode(file) for file in files] == [0o600, 0o600]
    assert sorted(data.secrets.iterdir()) == sorted(files)
    name, _, key = first[1].strip().partition(":")
    assert name == "k1" and len(base64.b64decode(key, validate=True)) == 32


def test_a_second_run_on_the_same_data_is_refused(data: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "_LOCK_PATIENCE_SECONDS", 0.0)
    preparation.make_directories(data)
    lock = preparation.take_lock(data)
    with pytest.raises(CannotStart, match=rf"already runs on .* \(process {os.getpid()}\)"):
        preparation.take_lock(data)
    os.close(lock)
    os.close(preparation.take_lock(data))
    # Others could hold it with no more than the right to read it.
    assert mode(data.supervisor_lock) == 0o600


def test_a_port_in_use_is_named() -> None:
    # None that the system gives to somebody else as soon as it is free.
    with socket.create_server(("127.0.0.1", ports.free())) as server:
        port = server.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} is in use"):
            preparation.choose_port("127.0.0.1", port)
    assert preparation.choose_port("127.0.0.1", port) == port
    assert preparation.choose_port("127.0.0.1", 0) > 1023


def test_an_address_that_is_not_ours_is_named() -> None:
    with pytest.raises(CannotStart, match=r"Cannot listen on 192\.0\.2\.1"):
        preparation.choose_port("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "public_url", "expected"),
    [
        ("127.0.0.1", "", False),
        ("127.0.0.1", "http://localhost:8000", False),
        ("127.0.0.1", "https://agents.example.com", True),
        ("0.0.0.0", "", True),
    ],
)
def test_a_public_address_means_that_others_can_come(host: str, public_url: str, expected: bool) -> None:
    assert preparation.is_for_others(host, public_url) is expected


def test_listening_everywhere_admits_the_names_of_this_machine() -> None:
    assert preparation.host_names("192.0.2.1") == ["192.0.2.1"]
    assert socket.gethostname() in preparation.host_names("0.0.0.0")
