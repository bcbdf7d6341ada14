"""A REST client that uses the product as a person with a token does, for the end-to-end tests."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx2

from tests.end_to_end.chosen_agent import AGENT

EMAIL = "owner@example.com"
PASSWORD = "correct horse battery staple 9"
SECONDS = 150.0
CALL_SECONDS = 60.0
LOOK_SECONDS = 0.7
"""Between two looks at last: one costs the platform some 30 ms, and most of the time tests only wait."""


def first_run(url: str, *scopes: str, code: str = "") -> Client:
    """Makes the first account and an access token of it; without `scopes`, for work with sessions."""
    with httpx2.Client(base_url=f"{url}/api/v1", headers={"origin": url}, timeout=CALL_SECONDS) as browser:
        browser.get(f"{url}/").raise_for_status()
        state = browser.get("/setup/").raise_for_status().json()
        assert state["needed"] is True, state
        account = {"email": EMAIL, "password": PASSWORD, "name": "Olivia Owner", "code": code}
        browser.post("/setup/", json=account, headers=_csrf(browser)).raise_for_status()
        wanted = {"name": "end to end", "scopes": scopes or ["write"]}
        made = browser.post("/tokens/", json=wanted, headers=_csrf(browser)).raise_for_status().json()
    return Client(url, made["token"])


def sign_in(url: str) -> list[dict[str, str]]:
    """Signs the owner in as a browser does; the cookies, for a browser to take over."""
    with httpx2.Client(base_url=url, headers={"origin": url}, timeout=CALL_SECONDS) as browser:
        browser.get("/").raise_for_status()
        account = {"email": EMAIL, "password": PASSWORD}
        path = "/_allauth/browser/v1/auth/login"
        browser.post(path, json=account, headers=_csrf(browser)).raise_for_status()
        return [{"name": name, "value": value, "url": url} for name, value in browser.cookies.items()]


def end_login(url: str, cookies: list[dict[str, str]]) -> None:
    """What the cookies prove is no longer true; the browser that has them is not told."""
    jar = {cookie["name"]: cookie["value"] for cookie in cookies}
    with httpx2.Client(base_url=url, headers={"origin": url}, cookies=jar, timeout=CALL_SECONDS) as browser:
        ended = browser.delete("/_allauth/browser/v1/auth/session", headers=_csrf(browser))
        assert ended.status_code == 401, ended.text  # allauth says so to whoever is signed out now


def _csrf(browser: httpx2.Client) -> dict[str, str]:
    return {"x-csrftoken": browser.cookies["csrftoken"]}


class Client:
    """The API with an access token; every call fails the test with the problem when it is refused."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token
        self._http = httpx2.Client(
            base_url=f"{url}/api/v1", headers={"authorization": f"Bearer {token}"}, timeout=CALL_SECONDS
        )

    def close(self) -> None:
        self._http.close()

    def raw(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """The answer, whatever its status."""
        return self._http.request(method, path, **options)

    def call(self, method: str, path: str, json: Any = None) -> Any:
        """The decoded answer of a call that has to succeed."""
        response = self.raw(method, path, json=json)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, json: Any = None) -> Any:
        return self.call("POST", path, json if json is not None else {})

    def new_session(self, **fields: Any) -> str:
        """A session of the chosen agent with the demo model unless `fields` say otherwise; its id."""
        usual = {"agent": AGENT, "provider": "demo", "model": "demo"}
        return str(self.post("/sessions/", {**usual, **fields})["id"])

    def prompt(self, session: str, text: str) -> str:
        """Queues a prompt; its id, which is the turn's."""
        prompt_id = str(uuid.uuid4())
        self.post(f"/sessions/{session}/prompts/", {"id": prompt_id, "text": text})
        return prompt_id

    def session(self, session: str) -> Any:
        return self.get(f"/sessions/{session}/")

    def conversation(self, session: str) -> Any:
        return self.get(f"/sessions/{session}/conversation/")

    def events(self, session: str) -> list[dict[str, Any]]:
        """The whole log."""
        found: list[dict[str, Any]] = []
        path: str | None = f"/sessions/{session}/events/?after=0&limit=200"
        while path:
            page = self.get(path)
            found += page["results"]
            path = page["next"]
        return found

    def turn(self, session: str, turn: str) -> Any:
        """One turn of the conversation; None while it has not begun."""
        turns = self.conversation(session)["turns"]
        return next((found for found in turns if found["id"] == turn), None)

    def ended(self, session: str, turn: str, seconds: float = SECONDS) -> Any:
        """The turn when it has ended."""

        def look() -> Any:
            # The conversation is folded from the whole log each time, so it is asked for only then.
            if self.prompt_row(session, turn)["state"] in ("queued", "sent", "running"):
                return None
            found = self.turn(session, turn)
            return found if found and found["status"] == "ended" else None

        return eventually(look, seconds, lambda: f"turn not ended: {self.session(session)}")

    def prompt_row(self, session: str, turn: str) -> Any:
        """The prompt that became, or becomes, the turn."""
        return self.get(f"/sessions/{session}/prompts/{turn}/")

    def status(self, session: str, *wanted: str, seconds: float = SECONDS) -> Any:
        """The session when its status is one of those."""

        def look() -> Any:
            found = self.session(session)
            return found if found["status"] in wanted else None

        return eventually(look, seconds, lambda: f"not {wanted}: {self.session(session)}")

    def awake(self, session: str, seconds: float = 1.5 * SECONDS) -> Any:
        """The session when it is ready, whatever it was; a start that came to nothing is made again."""

        def look() -> Any:
            found = self.session(session)
            if found["status"] in ("idle", "asleep", "failed"):
                self.post(f"/sessions/{session}/start/")
            return found if found["status"] == "ready" else None

        return eventually(look, seconds, lambda: f"not awake: {self.session(session)}")

    def pending(self, session: str, seconds: float = SECONDS) -> Any:
        """The permission that waits for an answer, as soon as there is one."""

        def look() -> Any:
            results = self.get(f"/permissions/?state=pending&session={session}")["results"]
            return results[0] if results else None

        return eventually(look, seconds, lambda: f"nothing is asked: {self.session(session)}")

    def answer(self, permission: str, **answer: Any) -> Any:
        return self.post(f"/permissions/{permission}/answer/", answer)


def eventually(
    look: Callable[[], Any], seconds: float, complaint: Callable[[], str], *, longest: float = LOOK_SECONDS
) -> Any:
    """What `look` finds as soon as it finds something; AssertionError with the complaint when it does not.

    A platform that does not answer, because a test has just ended it, has not been found out about yet;
    nor has what a look takes out of a list or a dictionary that does not have it yet. Looks come a tenth of a
    second after each other at first, `longest` at last.
    """
    deadline = time.monotonic() + seconds
    pause = 0.1
    while True:
        missing: Exception | None = None
        try:
            if found := look():
                return found
        except (httpx2.TransportError, LookupError) as error:
            missing = error
        if time.monotonic() > deadline:
            raise AssertionError(complaint()) from missing
        time.sleep(pause)
        pause = min(1.4 * pause, longest)


def texts(turn: Any) -> str:
    """Everything that the agent said in a turn, sub-agents left out."""
    return "".join(
        item["text"]
        for item in turn["items"]
        if item["type"] == "message" and not item["parent_tool_call_id"]
    )
