"""What the sockets of this process count for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from openagent.lib.metrics import REGISTRY

EVENTS_RECEIVED = Counter("openagent_events_received", "Events that sidecars sent.", registry=REGISTRY)
EVENTS_STORED = Counter("openagent_events_stored", "Events that were committed.", registry=REGISTRY)
STORE_SECONDS = Histogram(
    "openagent_event_store_seconds",
    "How long a transaction of events took.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
    registry=REGISTRY,
)
ACK_SECONDS = Histogram(
    "openagent_event_ack_seconds",
    "How long the oldest event of each acknowledgement had waited for it since it was received.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
LINK_CONNECTS = Counter(
    "openagent_link_connects", "Connections of sidecars: first ones and again.", ["kind"], registry=REGISTRY
)
SOCKET_CONNECTS = Counter(
    "openagent_socket_connects", "Connections of browsers: fresh or resumed.", ["kind"], registry=REGISTRY
)
LINKS = Gauge("openagent_links", "Sidecars connected now.", registry=REGISTRY)
VIEWERS = Gauge("openagent_viewers", "Browser sockets open now.", registry=REGISTRY)
