"""A box server with a liar at its other end."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sidecar.box_server import BoxServer, Limits
from tests.fakes.hostile_box import HostileBox, hostile_box

QUICK = Limits(greeting_seconds=1.0, order_seconds=0.5, exec_seconds=0.5)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="box-") as path:
        yield Path(path)


@pytest.fixture
async def pair(folder: Path) -> AsyncIterator[tuple[BoxServer, HostileBox]]:
    async with hostile_box(folder) as both:
        yield both


@pytest.fixture
async def hasty(folder: Path) -> AsyncIterator[tuple[BoxServer, HostileBox]]:
    """One that is soon tired of waiting: for tests in which it waits in vain."""
    async with hostile_box(folder, limits=QUICK) as both:
        yield both
