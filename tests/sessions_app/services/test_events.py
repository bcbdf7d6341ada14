"""Claims of many sessions at once, and more rows than one statement takes."""

from __future__ import annotations

import pytest

from sessions_app.models import Event, Session
from sessions_app.services import events, ingest, instances
from sessions_app.services.events import Outcome
from tests.sessions_app.services.conftest import Sidecar


def test_each_of_many_sessions_gets_what_it_deserves(session: Session) -> None:
    """One statement moves all fences; a repeat, a gap and a second frame of one session hold up nobody."""
    sidecars = []
    for _ in range(4):
        instance = instances.wake(session_id=Session.objects.create(owner=session.owner, model="demo").pk)
        assert instance is not None
        ingest.salvage(successor=instance, gen=0, salvaged=[], done=True)
        instance.refresh_from_db()
        sidecars.append(Sidecar(instance))
    plain, repeats, skips, twice = sidecars
    first = [[each.event("plan", entries=[]) for _ in range(3)] for each in sidecars]
    repeats.store(*first[1][:2])
    outcomes = ingest.store(
        [
            plain.batch(first[0]),
            repeats.batch(first[1]),
            skips.batch(first[2][1:]),
            twice.batch(first[3][:1]),
            plain.batch([]),
            twice.batch(first[3][1:]),
        ]
    )
    stored = Outcome.STORED
    assert outcomes == [stored, stored, Outcome.GAP, stored, stored, stored]
    for sidecar, count in zip(sidecars, (3, 3, 0, 3), strict=True):
        rows = Event.objects.filter(session=sidecar.instance.session_id).order_by("seq")
        assert list(rows.values_list("seq", flat=True)) == list(range(1, count + 1))


def test_more_events_than_one_statement_takes_are_stored(
    session: Session, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_MOST_ROWS", 2)
    batch = [sidecar.event("message.delta", part_id="p", offset=n, text="x") for n in range(5)]
    assert sidecar.store(*batch) is Outcome.STORED
    assert [row.data["offset"] for row in Event.objects.order_by("seq")] == [0, 1, 2, 3, 4]
