"""What the pool of a running product holds, as its metrics tell."""

from __future__ import annotations

import re

import httpx2

from tests.end_to_end.client import eventually

_READY = re.compile(r'^openagent_pool_members\{state="ready"\} (\d+)', re.MULTILINE)


def wait_for_member(url: str, seconds: float = 120.0) -> None:
    """Until somebody could claim one."""
    eventually(lambda: _ready(url) > 0, seconds, lambda: "nothing waits in the pool")


def _ready(url: str) -> int:
    found = _READY.search(httpx2.get(f"{url}/metrics", timeout=30).raise_for_status().text)
    assert found, "there is no such metric"
    return int(found[1])
