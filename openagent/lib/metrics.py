"""The Prometheus registry of this process, and collectors that read gauges from rows when asked.

A count of things that happen is an ordinary prometheus_client Counter or Histogram on `REGISTRY`. A number
that rows already tell (live instances, queue ages) is a function given to `gauge`: nothing to keep in step,
and right after every restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

# Label values in the order of the labels, and the number.
Samples = Mapping[tuple[str, ...], float]


class _RowGauge(Collector):
    def __init__(self, name: str, text: str, labels: Iterable[str], read: Callable[[], Samples]) -> None:
        self._name, self._text, self._labels, self._read = name, text, list(labels), read

    def describe(self) -> Iterator[Metric]:
        # Registering must not read rows: there may be no database yet.
        yield self._empty()

    def collect(self) -> Iterator[Metric]:
        family = self._empty()
        for values, number in self._read().items():
            family.add_metric(list(values), number)
        yield family

    def _empty(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(self._name, self._text, labels=self._labels)


def gauge(name: str, text: str, labels: Iterable[str], read: Callable[[], Samples]) -> None:
    """Registers a gauge that calls `read` each time the metrics are fetched."""
    REGISTRY.register(_RowGauge(name, text, labels, read))


def render() -> bytes:
    """Everything in Prometheus' text format; calls the registered reads, so it needs a database."""
    return generate_latest(REGISTRY)
