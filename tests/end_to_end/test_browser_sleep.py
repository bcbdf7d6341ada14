"""An idle session says when it falls asleep, and whoever wants keeps it awake."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.end_to_end.browser_fixtures import OpenWindow
from tests.end_to_end.client import Client
from tests.end_to_end.screens import SessionScreen
from tests.product import Product

_NEARLY_ASLEEP = """
from datetime import timedelta
from django.utils import timezone
from sessions_app.models import Session
from sessions_app.services import state
Session.objects.filter(pk="{session}").update(sleeps_at=timezone.now() + timedelta(minutes=3.5))
state.bump("{session}")
"""


def test_a_session_is_kept_awake_and_let_sleep_again(
    open_window: OpenWindow, product: Product, owner: Client, shared: str
) -> None:
    session = SessionScreen(open_window(), shared)
    session.expect_connection("live")
    notice = session.page.get_by_test_id("sleep-notice")
    expect(notice).to_have_count(0)

    product.manage("shell", "-c", _NEARLY_ASLEEP.format(session=shared))
    expect(notice).to_contain_text("sleeps in 4 min")
    notice.get_by_role("button", name="Keep for 1 h").click()
    expect(notice).to_contain_text("kept awake until")
    assert owner.session(shared)["kept_until"] and not owner.session(shared)["sleeps_at"]

    notice.get_by_role("button", name="Let it sleep").click()
    expect(notice).to_have_count(0)
    assert owner.session(shared)["kept_until"] is None

    session.choose("Keep awake for 1 h")
    expect(notice).to_contain_text("kept awake until")
    session.choose("Let it sleep when idle")
    expect(notice).to_have_count(0)
