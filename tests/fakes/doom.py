"""Ends whoever works on instances at a step of a test's choice, as a process that is killed there ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import connection

from tests.fakes.driver import FakeDriver

_WRITES = ("INSERT", "UPDATE", "DELETE")


class Killed(BaseException):
    """Nobody handles this: whoever runs is gone. What was not committed is rolled back by the database."""


@contextmanager
def killed_at(step: int, driver: FakeDriver) -> Iterator[list[str]]:
    """Whoever runs in the block is killed instead of this step, and does nothing after it.

    Steps are writes to the database and what changes something on the engine; the list has those that were
    done. The block is left as if nothing had happened: fewer steps than `step` mean that nobody was killed.
    """
    done: list[str] = []
    is_dead = False

    def count(what: str) -> None:
        nonlocal is_dead
        is_dead = is_dead or len(done) == step
        if is_dead:
            raise Killed
        done.append(what)

    def execute(run: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(_WRITES):
            count(" ".join(sql.split()[:3]))
        return run(sql, *rest)

    def counted(name: str) -> Callable[..., Any]:
        call = getattr(driver, name)

        def wrapper(*values: Any) -> Any:
            count(f"the driver's {name}")
            return call(*values)

        return wrapper

    with pytest.MonkeyPatch.context() as patch, connection.execute_wrapper(execute):
        for name in ("create", "remove", "remove_volume"):
            patch.setattr(driver, name, counted(name))
        with suppress(Killed):
            yield done
