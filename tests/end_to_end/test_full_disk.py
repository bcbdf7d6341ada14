"""Full disks: whoever asks is told so, nothing that was stored is lost, and with space again all goes on."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import head_start, needs
from tests.end_to_end.client import Client, eventually, first_run
from tests.end_to_end.custom_agents import WORKING, register_working
from tests.end_to_end.instance import Instance
from tests.end_to_end.reader import Reader
from tests.end_to_end.replay import replayed
from tests.end_to_end.terminal import TerminalClient
from tests.end_to_end.turns import check_answered, check_one_clean_turn
from tests.fakes.small_disk import small_disk
from tests.product import Product, data_directory

SPEECH = "/demo long 300 40ms"
SECONDS = 120.0
SIZE = "420m"
"""Instances are not made with less than 256 MB free."""


@dataclass(frozen=True)
class Cramped:
    """A product with little space: the disk of its data, and another one for the files of its boxes."""

    product: Product
    client: Client

    @property
    def data(self) -> Path:
        return self.product.data.root

    @property
    def volumes(self) -> Path:
        return self.data / "volumes"


@pytest.fixture(scope="module")
def started() -> Iterator[Cramped]:
    needs.bubblewrap()
    needs.opencode()
    with data_directory() as data, small_disk(data, size=SIZE):
        (data / "volumes").mkdir(mode=0o711)
        with small_disk(data / "volumes", size=SIZE), ExitStack() as ending:
            head_start.give(data)
            product = Product(data, OPENAGENT_DRIVER="process")
            ending.callback(product.stop)
            client = first_run(product.url)
            ending.callback(client.close)
            register_working(product.url)
            yield Cramped(product, client)


@pytest.fixture
def cramped(started: Cramped) -> Iterator[Cramped]:
    """It, and afterwards the replay test."""
    with replayed(started.client):
        yield started


@contextmanager
def filled(disk: Path, *, but_mb: int = 0) -> Iterator[None]:
    """Until the block has ended, nothing more fits on the disk, or only so much."""
    ballast = disk / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file:
            # Most of it at once: what goes on beside this does not wait.
            space = os.statvfs(disk)
            most = space.f_bavail * space.f_frsize - (but_mb or 4) * 2**20
            os.posix_fallocate(file.fileno(), 0, most)
            file.seek(most)
            if not but_mb:
                with pytest.raises(OSError, match="No space left"):
                    while True:
                        # To the last byte: a piece that does not fit is written in part.
                        file.write(b"\0" * 2**20)
        yield
    finally:
        ballast.unlink()


def awake(client: Client) -> str:
    """A session with OpenCode that has worked already."""
    for found in client.get("/sessions/")["results"]:
        if (found["agent"], found["status"]) == ("opencode", "ready"):
            return str(found["id"])
    # Not by `new_session`: the test that needs it first is not the one that stops it.
    session = str(client.post("/sessions/", {"provider": "demo", "model": "demo", "mode": "auto"})["id"])
    check_works(client, session)
    return session


def check_works(client: Client, session: str) -> None:
    turn = client.prompt(session, "/demo plain")
    client.ended(session, turn, SECONDS)
    check_answered(client, session, "/demo plain", turn)


def fill_shelf(client: Client, shelf: str) -> set[str]:
    """Stores prompts until that is refused, with a problem that says why; those that were taken."""
    taken: set[str] = set()

    def look() -> bool:
        wanted = {"id": str(uuid.uuid4()), "text": "to be stored " * 10_000}
        answer = client.raw("POST", f"/sessions/{shelf}/prompts/", json=wanted)
        if answer.is_success:
            taken.add(wanted["id"])
            return False
        assert answer.status_code == 503, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "database_unavailable" and "disk is full" in answer.json()["detail"]
        return True

    eventually(look, SECONDS, lambda: "the platform still takes prompts")
    return taken


def on_shelf(client: Client, shelf: str) -> set[str]:
    found: set[str] = set()
    path: str | None = f"/sessions/{shelf}/prompts/?limit=200"
    while path:
        page = client.get(path)
        found |= {prompt["id"] for prompt in page["results"]}
        path = page["next"]
    return found


def test_when_nothing_can_be_stored_any_more_nothing_is_lost_and_the_turn_goes_on_later(
    cramped: Cramped,
) -> None:
    """Log, journal and workspace, as if they were on one disk."""
    client = cramped.client
    session, shelf = awake(client), client.new_session()
    client.post(f"/sessions/{shelf}/stop/")
    assert client.session(shelf)["paused"]
    earlier = client.conversation(session)["turns"]
    instance = Instance(cramped.product, client, session)
    with Reader(client, session) as reader:
        turn = client.prompt(session, SPEECH)
        reader.wait_for_text(turn, 200)
        known = len(reader.events("error"))
        with filled(cramped.data), filled(cramped.volumes):
            taken = fill_shelf(client, shelf)
            (told,) = reader.wait(lambda reader: reader.events("error")[known:], SECONDS)
            assert told["data"]["class"] == "disk_full"
            assert "goes on by itself" in told["data"]["message"]
        reader.wait_for_event("turn.ended", turn, SECONDS)
        check_one_clean_turn(client, reader, session, SPEECH, turn)
    assert client.conversation(session)["turns"][: len(earlier)] == earlier
    assert on_shelf(client, shelf) == taken
    assert client.session(session)["status"] == "ready"
    assert Instance(cramped.product, client, session).id == instance.id
    following = client.prompt(session, "/demo work")
    assert client.ended(session, following, SECONDS)["stop_reason"] == "end_turn"


def test_a_session_that_would_start_on_a_full_disk_says_so_and_starts_later(cramped: Cramped) -> None:
    client = cramped.client
    session = client.new_session(agent=WORKING, mode="auto")
    with filled(cramped.data, but_mb=100):
        client.post(f"/sessions/{session}/start/")
        failed = client.status(session, "failed", seconds=SECONDS)
        assert "is full" in failed["status_detail"] and "Free some space" in failed["status_detail"]
    check_works(client, session)


@pytest.mark.variant
def test_a_session_whose_own_disk_is_full_says_so_and_works_when_there_is_space(cramped: Cramped) -> None:
    client = cramped.client
    session = awake(client)
    with filled(cramped.volumes):
        turn = client.prompt(session, "/demo run dd if=/dev/zero of=big bs=1M count=50")
        ended = client.ended(session, turn, SECONDS)
        assert ended["stop_reason"] == "error", ended
        assert ended["error"]["class"] == "disk_full", ended
    check_works(client, session)


@pytest.mark.variant
def test_a_terminal_on_a_full_disk_opens_and_its_programs_say_what_is_wrong(cramped: Cramped) -> None:
    client = cramped.client
    session = awake(client)
    with filled(cramped.volumes):
        terminal = client.post(f"/sessions/{session}/terminals/", {"rows": 24, "cols": 80})["id"]
        with TerminalClient(client, session, terminal) as shown:
            shown.type(b"head -c 100000 /dev/zero > more; echo and''then\n")
            shown.shows(b"No space left on device", SECONDS)
            shown.shows(b"andthen", SECONDS)
            shown.type(b"exit\n")
            shown.until(lambda: shown.end, SECONDS)
            assert shown.complaints == []
    check_works(client, session)
