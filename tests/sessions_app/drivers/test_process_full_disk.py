"""A full disk stops new instances with words, and spoils neither those that run nor their removal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sessions_app.drivers import process_requirements
from sessions_app.drivers.base import DriverError
from tests.fakes.small_disk import small_disk
from tests.sessions_app.drivers.conftest import Host, Until
from tests.sessions_app.drivers.records import alive


@pytest.fixture
def data(data: Path) -> Iterator[Path]:
    """A data directory on a disk of its own, which is small."""
    with small_disk(data, size="40m"):
        yield data


def fill(data: Path) -> None:
    with pytest.raises(OSError, match="No space left"), (data / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 2**20)
    # To the last byte, where only small files have room.
    with pytest.raises(OSError, match="No space left"), (data / "rest").open("wb", buffering=0) as file:
        while True:
            file.write(b"\0")


def test_a_full_disk_from_create_to_removal(
    host: Host, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_requirements, "FREE_MB", 0)
    ref, probe = host.start(volume="disk")
    processes = alive(host, ref)
    fill(host.options.data)

    with pytest.raises(DriverError) as caught:
        host.driver.create(host.spec())
    assert (caught.value.code, caught.value.permanent) == ("disk_full", True)
    assert host.driver.list() == [ref]

    assert probe.box("bash", "-c", "echo x > /workspace/file")[0] != 0
    assert probe.sh("echo alive") == "alive\n"
    probe.here("import os; os.write(1, b'x' * 100000)")

    assert host.driver.inspect(ref).alive
    host.driver.remove(ref)
    assert not any(process.is_alive() for process in processes)
    assert host.driver.list() == []

    (host.options.data / "ballast").unlink()
    _, probe = host.start(volume="disk")
    assert probe.sh("echo again > /workspace/file && cat /workspace/file") == "again\n"


def test_an_end_that_cannot_be_written_down_is_still_an_end(
    host: Host, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_requirements, "FREE_MB", 0)
    ref, probe = host.start()
    fill(host.options.data)
    probe.exit(3)
    until(lambda: not host.driver.inspect(ref).alive)
    until(lambda: alive(host, ref) == [])
    state = host.driver.inspect(ref)
    assert not state.alive and state.detail
