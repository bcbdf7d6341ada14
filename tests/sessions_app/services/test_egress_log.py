"""What a box reached and what it did not, added up by host; and who says of a host that it is allowed."""

from __future__ import annotations

from typing import Any

from sessions_app.models import Session
from sessions_app.services import egress, egress_log
from tests.sessions_app.conftest import make_events
from tests.sessions_app.services.test_egress import REGISTRIES, bound


def used(host: str, port: int = 443, **data: Any) -> dict[str, Any]:
    return {"kind": "egress.used", "data": {"host": host, "port": port, **data}}


def blocked(host: str, reason: str, **data: Any) -> dict[str, Any]:
    return {"kind": "egress.blocked", "data": {"host": host, "port": 443, "reason": reason, **data}}


def test_hosts_are_added_up_the_latest_first(session: Session, bob: Any) -> None:
    make_events(
        session,
        [
            used("a.example", count=2, bytes_up=10, bytes_down=2**62),
            blocked("b.example", "not_allowed"),
            {"kind": "agent.status", "data": {"status": "ready", "host": "c.example"}},
            used("a.example", 8443, count=1),
            blocked("a.example", "never", count=5),
            used("a.example", count=3, bytes_up=5, bytes_down=2**62),
            blocked("b.example", "private"),
        ],
    )
    found = sorted(egress_log.by_host(session.pk), key=lambda row: -row["last_seq"])
    rows = egress_log.describe(session.pk, found)
    assert [(row["host"], row["port"], row["used"], row["blocked"], row["reason"]) for row in rows] == [
        ("b.example", 443, 0, 2, "private"),
        ("a.example", 443, 5, 5, "never"),
        ("a.example", 8443, 1, 0, ""),
    ]
    assert (rows[1]["bytes_up"], rows[1]["bytes_down"]) == (15, 2**63)
    assert rows[0]["last_at"] == "2026-11-22T10:00:00.000Z"


def test_each_host_says_who_allows_it(session: Session) -> None:
    bound(registries=REGISTRIES, always="ours.example", git_hosts="git.example", never="bad.example")
    session.egress_hosts = ["a.example"]
    egress.decide(owner_id=session.owner_id, host="b.example", verdict="always")
    egress.decide(owner_id=session.owner_id, host="c.example", verdict="never")
    told = egress_log.policy(session)
    assert [(each["host"], each["by"]) for each in told["allowed"]] == [
        ("ours.example", "administrator"),
        ("git.example", "git"),
        ("mirror.lan:8080", "registry"),
        ("tarballs.example", "registry"),
        ("a.example", "session"),
        ("b.example", "you"),
    ]
    assert [(each["host"], each["by"]) for each in told["refused"]] == [
        ("bad.example", "administrator"),
        ("c.example", "you"),
    ]
    session.egress_policy = "none"
    told = egress_log.policy(session)
    assert (told["policy"], told["allowed"], told["refused"]) == ("none", [], [])
