"""What the gate tells of a provider outlasts the calls that an agent makes beside those of the turn."""

from __future__ import annotations

from sidecar.agents.acp.provider import ProviderWatch
from sidecar.agents.base import EventQueue, ProviderNews
from sidecar.agents.failures import failure
from sidecar.agents.turns import Turns

QUOTA, BUSY = failure("provider_quota"), failure("provider_rate_limit")


def watch() -> tuple[ProviderWatch, ProviderNews]:
    news, turns = ProviderNews(), Turns(EventQueue())
    turns.begin("one")
    made = ProviderWatch(news, turns, lambda: None)
    made.begin()
    return made, news


def test_a_title_that_is_made_after_all_does_not_hide_why_the_turn_failed() -> None:
    made, news = watch()
    news.failed(QUOTA)
    news.answered()
    assert made.failure is None
    assert made.cause == QUOTA
    made.begin()
    assert made.cause is None, "it is another turn"


def test_a_failure_that_has_passed_is_no_cause() -> None:
    made, news = watch()
    news.failed(BUSY)
    assert made.cause == BUSY
    news.answered()
    assert made.cause is None
