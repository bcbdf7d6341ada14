"""Gauges are read from rows when the metrics are fetched, not before."""

from __future__ import annotations

from openagent.lib import metrics


def test_a_row_gauge_is_read_at_every_fetch_and_not_when_it_is_registered(db: None) -> None:
    numbers: list[float] = []

    def read() -> metrics.Samples:
        numbers.append(len(numbers) + 1.0)
        return {("ready",): numbers[-1]}

    metrics.gauge("openagent_test_things", "Things of a test.", ["state"], read)
    assert numbers == []
    assert b'openagent_test_things{state="ready"} 1.0' in metrics.render()
    assert b'openagent_test_things{state="ready"} 2.0' in metrics.render()
