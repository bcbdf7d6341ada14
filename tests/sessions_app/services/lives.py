"""The life of one session, brought to where a test wants it, and what is done to it there."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sessions_app.models import Instance, Session
from sessions_app.services import instances, lifecycle, pool_tending, prompts, reconciler
from tests.fakes.driver import FakeDriver
from tests.sessions_app.services.conftest import get_ready

FILE = "what the user had"


@dataclass
class Life:
    """A session with a prompt under a client's own id, as whoever works on it finds it."""

    session: Session
    driver: FakeDriver
    prompt_id: uuid.UUID

    def prompt(self) -> None:
        """As the client sends it, and again when it got no answer."""
        prompts.submit(
            session=self.session, author=self.session.owner, prompt_id=self.prompt_id, text="Hello"
        )

    def launch(self) -> None:
        instances.launch(instance_id=self.newest().pk)

    def newest(self) -> Instance:
        newest = self.session.instances.order_by("-generation").first()
        assert newest is not None
        return newest

    def end(self, exit_code: int = 0) -> None:
        self.driver.end(str(self.newest().pk), exit_code)


# How it came to that, and what is done then, by somebody who is killed over it.


def to_asleep(life: Life) -> None:
    """Nothing was ever made."""


def to_requested(life: Life) -> None:
    life.prompt()


def to_starting(life: Life) -> None:
    to_requested(life)
    life.launch()


def to_resting(life: Life) -> None:
    """Ready, with a file on its disk and nothing to do."""
    assert instances.wake(session_id=life.session.pk)
    life.launch()
    get_ready(life.newest())
    life.session.refresh_from_db()
    life.driver.volumes[life.session.volume] = FILE


def to_working(life: Life) -> None:
    to_resting(life)
    life.prompt()


def to_dead(life: Life) -> None:
    to_working(life)
    life.end(137)


def to_stopping(life: Life) -> None:
    to_resting(life)
    instances.stop(session_id=life.session.pk, reason="user")


def to_flushed(life: Life) -> None:
    to_stopping(life)
    life.end()


def to_left(life: Life) -> None:
    """Stopped, its objects still there."""
    to_flushed(life)
    lifecycle.finish(instance_id=life.newest().pk, told=True)


def to_woken(life: Life) -> None:
    """And a prompt came."""
    to_left(life)
    life.prompt()


def ready(life: Life) -> None:
    lifecycle.on_ready(instance=life.newest())


def check(life: Life) -> None:
    reconciler.check(instance_id=life.newest().pk)


def stop(life: Life) -> None:
    instances.stop(session_id=life.session.pk, reason="user")


def finish(life: Life) -> None:
    lifecycle.finish(instance_id=life.newest().pk, told=True)


def retire(life: Life) -> None:
    lifecycle.retire(instance_id=life.newest().pk)


def reconcile(life: Life) -> None:
    reconciler.reconcile()


def tend(life: Life) -> None:
    pool_tending.tend()
