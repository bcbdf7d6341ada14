"""What waits on a link: as much as came and is not stored, and as long as the oldest of it."""

from __future__ import annotations

import time

import pytest

from sessions_app.consumers.unstored import Unstored


def test_what_is_stored_in_part_waits_on_since_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    unstored = Unstored()
    for now, seq in ((10.0, 3), (11.0, 5)):
        monkeypatch.setattr(time, "monotonic", lambda now=now: now)
        unstored.add(seq, 100)
    assert (unstored.forget(2), unstored.characters) == (10.0, 200)
    assert (unstored.forget(4), unstored.characters) == (10.0, 100)
    assert (unstored.forget(5), unstored.characters) == (11.0, 0)
    monkeypatch.setattr(time, "monotonic", lambda: 12.0)
    assert (unstored.forget(6), unstored.characters) == (12.0, 0)
