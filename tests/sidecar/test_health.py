"""The health check, as an engine calls it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import sys
import tempfile
from collections.abc import AsyncIterator

import pytest

from sidecar import health
from tests import ports

READY = health.Health(is_ready=True, stage="ready", is_linked=True, unstored_bytes=0, is_stalled=False)


class Status:
    """What the server is told, until the test tells something else."""

    def __init__(self) -> None:
        self.is_ready = False

    def __call__(self) -> health.Health:
        return dataclasses.replace(READY, is_ready=self.is_ready)


@contextlib.asynccontextmanager
async def listening(status: Status) -> AsyncIterator[list[str]]:
    """A server on a port and on a socket: both as targets."""
    with tempfile.TemporaryDirectory(prefix="health-") as folder:
        port = ports.free()
        server = health.Server(status)
        await server.start(port=port, path=f"{folder}/health.sock")
        yield [str(port), f"{folder}/health.sock"]
        await server.close()


async def check(target: str, path: str = "/healthz") -> bool:
    return await asyncio.to_thread(health.check, target, path)


async def test_it_answers_healthy_always_and_ready_when_it_is() -> None:
    status = Status()
    async with listening(status) as targets:
        for target in targets:
            assert await check(target)
            assert not await check(target, "/readyz")
        status.is_ready = True
        for target in targets:
            assert await check(target, "/readyz")
            assert not await check(target, "/metrics")


async def test_nobody_there_is_not_healthy() -> None:
    async with listening(Status()) as targets:
        pass
    for target in targets:
        assert not await check(target)


async def test_bytes_that_are_no_request_disturb_nobody() -> None:
    async with listening(Status()) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.write(b"\x00" * 20_000)
        await reader.read()
        writer.close()
        assert await check(port)


@pytest.mark.parametrize(("path", "code"), [("/healthz", 0), ("/readyz", 1)])
async def test_the_program_says_it_by_its_exit_code(path: str, code: int) -> None:
    async with listening(Status()) as (_, target):
        program = await asyncio.create_subprocess_exec(sys.executable, "-m", "sidecar.health", target, path)
        assert await program.wait() == code
