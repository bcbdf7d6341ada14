"""Bursts pass, lasting floods are held to the rate, and the clock may stand still or jump back."""

from __future__ import annotations

import pytest

from sidecar.budget import BURST_SECONDS, Budget


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    budget = Budget(events_per_second=10, bytes_per_second=1e9, now=0.0)
    passed, now = 0, 0.0
    while now < 10:
        wait = budget.wait(now)
        if wait:
            now += wait + 1e-9
            continue
        budget.charge(100)
        passed += 1
    assert 10 * BURST_SECONDS + 10 * 10 - 2 <= passed <= 10 * BURST_SECONDS + 10 * 10 + 2


def test_a_large_event_passes_and_its_bytes_are_waited_out() -> None:
    budget = Budget(events_per_second=1000, bytes_per_second=100, now=0.0)
    assert budget.wait(0.0) == 0
    budget.charge(1400)
    assert budget.wait(0.0) == pytest.approx(10.0)
    assert budget.wait(5.0) == pytest.approx(5.0)
    assert budget.wait(10.0) == 0


def test_a_clock_that_jumps_back_takes_nothing_away() -> None:
    budget = Budget(events_per_second=1, bytes_per_second=1e9, now=100.0)
    for _ in range(8):
        budget.charge(0)
    assert budget.wait(50.0) == pytest.approx(4.0)
    assert budget.wait(54.0) == 0
