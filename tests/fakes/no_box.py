"""A box that refuses everything, for agents that need none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NoReturn


class NoBox:
    """Every order fails as if the box were gone."""

    async def exec(self, argv: Sequence[str], /, *, env: Mapping[str, str], cwd: str) -> NoReturn:
        raise ConnectionError("there is no box")

    async def connect(self, port: int, /) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        raise ConnectionError("there is no box")
