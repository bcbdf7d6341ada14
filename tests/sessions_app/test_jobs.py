"""Handing work over: in order, and without anybody waiting for it where sockets are served."""

from __future__ import annotations

import queue
import threading
import uuid
from typing import Any

import pytest

from openagent.celery import app
from sessions_app import jobs

SECONDS = 30
OWN = {str(uuid.UUID(int=number)) for number in range(8)}
"""The instances of these tests: what a test before them had handed over may still be on its way."""


class Broker:
    """Takes work only while it is not silent."""

    def __init__(self) -> None:
        self.speaks = threading.Event()
        self.taken: queue.Queue[str] = queue.Queue()

    def send_task(self, name: str, *, kwargs: dict[str, str], **options: object) -> None:
        if kwargs.get("instance_id") not in OWN:
            return
        assert self.speaks.wait(SECONDS)
        if kwargs["instance_id"] == str(uuid.UUID(int=0)):
            raise ValueError("it chokes on this one")
        self.taken.put(kwargs["instance_id"])


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Any:
    made = Broker()
    monkeypatch.setattr(app, "send_task", made.send_task)
    monkeypatch.setattr(jobs, "_must_not_wait", threading.Event())
    yield made
    made.speaks.set()


def test_who_serves_sockets_does_not_wait_for_a_silent_broker(broker: Broker) -> None:
    jobs.never_wait()
    ids = [uuid.UUID(int=number) for number in (1, 0, 2, 3)]
    for instance_id in ids:
        jobs.launch_instance(instance_id)
    assert broker.taken.empty()
    broker.speaks.set()
    wanted = [str(ids[0]), str(ids[2]), str(ids[3])]
    assert [broker.taken.get(timeout=SECONDS) for _ in wanted] == wanted


def test_what_is_too_much_is_dropped(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    small: queue.Queue[Any] = queue.Queue(2)
    # The thread of the tests before this one waits at the queue before, also if it comes there only now.
    monkeypatch.setattr(small, "get", jobs._waiting.get)
    monkeypatch.setattr(jobs, "_waiting", small)
    monkeypatch.setattr(jobs, "_courier", lambda: None)
    jobs.never_wait()
    for number in range(1, 5):
        jobs.launch_instance(uuid.UUID(int=number))
    assert small.qsize() == 2


def test_others_hand_over_themselves(broker: Broker) -> None:
    broker.speaks.set()
    jobs.launch_instance(uuid.UUID(int=7))
    assert broker.taken.get_nowait() == str(uuid.UUID(int=7))
