"""One person with one session: asks again and again, watches the answers, answers what the agent asks."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.end_to_end.client import Client
from tests.end_to_end.reader import Reader
from tests.soak.wishes import Wish

ACCEPT_SECONDS = 120.0
PATIENCE_SECONDS = 90.0
POLL_SECONDS = 0.3
RECENT = 600
TROUBLE = (502, 503, 504)
"""Answers with which a platform says that it cannot right now; any other 5xx is a bug."""


@dataclass(frozen=True)
class Asked:
    """A prompt that the platform accepted."""

    turn: str
    wish: Wish


class Inhabitant:
    """Use it in `with`; `begin` and `quiet` start and end the asking, the reader watches all the time."""

    def __init__(self, url: str, token: str, session: str, *, wishes: Callable[..., Wish], seed: int) -> None:
        self.session = session
        self.client = Client(url, token)
        self.reader = Reader(self.client, session)
        self.asked: list[Asked] = []
        self.problems: list[str] = []
        self.repeats = 0
        self._wishes = wishes
        self._chance = random.Random(seed)
        self._answered: set[str] = set()
        self._quiet = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Inhabitant:
        self.reader.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self.quiet()
        self.reader.__exit__()
        self.client.close()

    def begin(self) -> None:
        self._quiet.clear()
        self._thread = threading.Thread(target=self._live, name=f"inhabitant {self.session}", daemon=True)
        self._thread.start()

    def hush(self) -> None:
        """Ask for nothing new; `quiet` waits for what is under way."""
        self._quiet.set()

    def quiet(self) -> None:
        self.hush()
        if self._thread is not None:
            self._thread.join(ACCEPT_SECONDS + 35)
            self._thread = None

    def ask(self, wish: Wish) -> Asked | None:
        """Send a prompt, with the same id until somebody answers; what was accepted, if it was."""
        asked = Asked(str(uuid.uuid4()), wish)
        path = f"/sessions/{self.session}/prompts/"
        answer = self.insist("POST", path, {"id": asked.turn, "text": wish.prompt})
        if answer is None or not answer.is_success:
            self.problems.append(f"prompt not accepted: {answer.text[:200] if answer else 'no answer'}")
            return None
        self.asked.append(asked)
        return asked

    def insist(self, method: str, path: str, json: Any = None) -> httpx2.Response | None:
        """The platform's answer as soon as it gives one; None when it gives none for very long."""
        deadline = time.monotonic() + ACCEPT_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = self.client.raw(method, path, json=json)
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.status_code not in TROUBLE:
                if answer.status_code >= 500:
                    self.problems.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
                return answer
            self.repeats += 1
            time.sleep(0.2)
        return None

    def attend(self) -> None:
        """Answer what the agent asks, and start the session again when it waits for a person to do so."""
        for event in self.reader.recent(RECENT):
            if event["kind"] == "permission.asked":
                self._answer(event["data"]["permission_id"])
        shown = self.reader.state.get("session", {})
        if shown.get("paused") and shown.get("queued_prompts"):
            self.insist("POST", f"/sessions/{self.session}/start/", {})

    def _answer(self, permission: str) -> None:
        if permission in self._answered:
            return
        if self.insist("POST", f"/permissions/{permission}/answer/", {"choice": "once"}) is not None:
            self._answered.add(permission)

    def _live(self) -> None:
        while not self._quiet.is_set():
            asked = [self.ask(self._wishes(self._chance)) for _ in range(self._chance.choice((1, 1, 1, 2)))]
            disturbance = self._chance.choice(("", "", "", "", "", "", "", "interrupt", "stop"))
            if disturbance:
                self._quiet.wait(self._chance.uniform(0.2, 2.0))
                self.insist("POST", f"/sessions/{self.session}/{disturbance}/", {})
            self._watch({each.turn for each in asked if each})

    def _watch(self, turns: set[str]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while turns and not self._quiet.wait(POLL_SECONDS) and time.monotonic() < deadline:
            self.attend()
            turns -= {
                str(event["turn"]) for event in self.reader.recent(RECENT) if event["kind"] == "turn.ended"
            }
