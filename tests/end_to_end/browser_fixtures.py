"""What the browser tests share: Chromium, windows that are signed in, a session that is awake, providers.

Playwright's synchronous interface keeps an event loop in the main thread, in which no other test could run
its own: so Chromium lives as long as a module of tests, not longer.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser

from tests.end_to_end.browser import DESKTOP, Window, launched
from tests.end_to_end.client import SECONDS, Client, eventually, sign_in
from tests.end_to_end.replay import check_replay
from tests.end_to_end.rig import Provider
from tests.product import Product

Cookies = list[Any]

_BASE_PATHS = {"openai": "/v1", "anthropic": "/v1", "google": "/v1beta", "groq": "/openai/v1"}
_FAILED = pytest.StashKey[bool]()


class OpenWindow(Protocol):
    def __call__(self, url: str = "", *, cookies: Cookies | None = None, **options: Any) -> Window:
        """A window at that product (the shared one), signed in by the cookies (as its owner)."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test failed, for pictures of what it saw."""
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def provider(kind: type[Product]) -> Iterator[Provider]:
    """What the shared product takes for OpenAI, Anthropic, Google and Groq; it wants the key `rig.KEY`."""
    with Provider(kind.surroundings) as listening:
        yield listening


@pytest.fixture(scope="session")
def login(product: Product, owner: Client) -> Cookies:
    """The cookies of a browser in which the owner has signed in."""
    return sign_in(product.url)


@pytest.fixture
def another_login(product: Product, owner: Client) -> Cookies:
    """The cookies of a second device, or of one whose login a test ends."""
    return sign_in(product.url)


@pytest.fixture
def open_window(
    chromium: Browser,
    product: Product,
    owner: Client,
    login: Cookies,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Iterator[OpenWindow]:
    """Opens windows. Afterwards none of them may have complained, and what was made in them replays."""
    windows: list[Window] = []

    def open_one(url: str = "", *, cookies: Cookies | None = None, **options: Any) -> Window:
        # What turns round and round would cost a core without a graphics card.
        context = chromium.new_context(**{"viewport": DESKTOP, "reduced_motion": "reduce", **options})
        context.add_cookies(login if cookies is None else cookies)
        windows.append(Window(context, url or product.url))
        return windows[-1]

    before = _sessions(owner)
    yield open_one
    if request.node.stash.get(_FAILED, True):
        _save_pictures(windows, tmp_path)
    for window in windows:
        window.close()
    made = _sessions(owner) - before
    try:
        for session in made:
            check_replay(owner, session)
    finally:
        for session in made:
            owner.raw("POST", f"/sessions/{session}/stop/")
    complaints = [complaint for window in windows for complaint in window.complaints]
    assert not complaints, "\n".join(complaints)


@pytest.fixture(scope="session")
def awake(owner: Client) -> Iterator[str]:
    """A session with a live box, in mode Ask: a box takes seconds to start, so tests share this one."""
    with live_session(owner, title="Shared") as session:
        yield session


@pytest.fixture
def shared(awake: str, owner: Client) -> Iterator[str]:
    """The shared session; afterwards nothing of the test goes on in it, and its log replays."""
    with settled(owner, awake) as session:
        yield session


@pytest.fixture
def box(shared: str, owner: Client) -> str:
    """The shared session, without a terminal."""
    for terminal in owner.get(f"/sessions/{shared}/terminals/")["results"]:
        owner.call("DELETE", f"/sessions/{shared}/terminals/{terminal['id']}/")
    return shared


@contextmanager
def live_session(owner: Client, **fields: str) -> Iterator[str]:
    """A session with the demo model whose box is live, for several tests."""
    session = owner.new_session(**fields)
    owner.awake(session)
    yield session
    owner.post(f"/sessions/{session}/stop/")


@contextmanager
def settled(owner: Client, session: str) -> Iterator[str]:
    """A session in which nothing goes on, before and after; its log replays."""

    def is_quiet() -> bool:
        """What has only just left the queue is no turn yet, so it is looked for again and again."""
        for prompt in owner.get(f"/sessions/{session}/prompts/")["results"]:
            if prompt["state"] == "queued":
                owner.raw("DELETE", f"/sessions/{session}/prompts/{prompt['id']}/")
        found = owner.session(session)
        if found["turn"]:
            owner.raw("POST", f"/sessions/{session}/interrupt/", json={"turn": found["turn"]})
        return bool(found["status"] == "ready")

    # It may have been idle for long: that it does not fall asleep in the midst of the test.
    owner.call("PATCH", f"/sessions/{session}/", {"archived": False})
    assert owner.awake(session)["sleeps_at"] is None
    try:
        yield session
    finally:
        eventually(is_quiet, SECONDS, lambda: f"something goes on: {owner.session(session)}")
    check_replay(owner, session)


def base_urls(provider: Provider) -> str:
    """The setting that sends sessions to it."""
    server = provider.url.removesuffix("/v1")
    return json.dumps({name: server + path for name, path in _BASE_PATHS.items()})


def _sessions(owner: Client) -> set[str]:
    return {session["id"] for session in owner.get("/sessions/")["results"]}


def _save_pictures(windows: list[Window], folder: Path) -> None:
    for number, window in enumerate(windows):
        path = folder / f"window-{number}.png"
        window.save_picture(path)
        print(f"What it showed at the end: {path} ({window.page.url})", *window.complaints, sep="\n  ")
