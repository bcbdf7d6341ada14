"""What was reached and refused is added up, so that no box can fill a log with it."""

from __future__ import annotations

import asyncio

from sidecar import intake
from sidecar.gate.egress import record
from sidecar.gate.egress.policy import Target, read_target
from sidecar.gate.egress.record import Record
from sidecar.protocol import messages


def make(*, seconds: float = 60.0) -> tuple[Record, list[tuple[str, messages.Data]]]:
    told: list[tuple[str, messages.Data]] = []

    def emit(kind: str, data: messages.Data) -> None:
        intake.admit(kind, data)
        told.append((kind, data))

    return Record(emit, seconds=seconds), told


async def test_repeats_become_counts() -> None:
    kept, told = make()
    host, other = read_target("a.example:443"), read_target("b.example:443")
    for _ in range(1000):
        kept.connected(host)
        kept.passed(host, up=1, down=2)
        kept.blocked(other, "not_allowed")
    assert told == []
    kept.flush()
    assert told == [
        (
            "egress.used",
            messages.EgressUsed(host="a.example", port=443, count=1000, bytes_up=1000, bytes_down=2000),
        ),
        (
            "egress.blocked",
            messages.EgressBlocked(host="b.example", port=443, reason="not_allowed", count=1000),
        ),
    ]
    kept.flush()
    assert len(told) == 2


async def test_it_is_told_by_itself_after_a_while() -> None:
    kept, told = make(seconds=0.01)
    kept.connected(read_target("a.example:443"))
    async with asyncio.timeout(10):
        while not told:
            await asyncio.sleep(0.005)


async def test_of_very_many_hosts_only_the_number_is_told() -> None:
    kept, told = make()
    for n in range(record.MAX_HOSTS + 7):
        kept.blocked(Target(f"host{n}.example", 443), "not_allowed")
        kept.connected(Target(f"host{n}.example", 443))
    kept.flush()
    assert len(told) == 2 * record.MAX_HOSTS + 2
    assert told[-1] == ("events.suppressed", messages.Suppressed(kind="egress.blocked", count=7))


async def test_nothing_is_told_after_the_end() -> None:
    kept, told = make()
    kept.connected(read_target("a.example:443"))
    kept.close()
    kept.passed(read_target("a.example:443"), up=1, down=1)
    kept.flush()
    assert len(told) == 1
