"""The one bridge from async code to the database: a bounded pool of threads of its own.

asgiref's default shares a single thread between all consumers of a process, so one slow query delays every
keystroke; see docs/adr. A call here runs on a connection of its own, never inside a transaction of the
caller: tests of such code need `transaction=True`.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")


async def run(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Calls a sync function that may use the database. When the caller is cancelled, the call still ends."""
    context = contextvars.copy_context()
    call = functools.partial(context.run, _call, functools.partial(function, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(_pool(), call)


def close() -> None:
    """Waits for running calls and ends the threads; the next `run` makes new ones."""
    if _pool.cache_info().currsize:
        _pool().shutdown()
        _pool.cache_clear()


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.OPENAGENT_DATABASE_THREADS, thread_name_prefix="database")


def _call(function: Callable[[], T]) -> T:
    try:
        return function()
    finally:
        for connection in connections.all(initialized_only=True):
            # A SQLite connection costs more to open than most of our queries, and there are no more of them
            # than threads. A pooled one goes back, so that it is checked before it is used again.
            if connection.vendor != "sqlite" or connection.errors_occurred:
                connection.close()
