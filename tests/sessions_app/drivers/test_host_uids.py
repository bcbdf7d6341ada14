"""Users of the host are given to volumes once, for good, and never to two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sessions_app.drivers.base import DriverError
from sessions_app.drivers.host_uids import HostUids, UidFile

RANGE = range(70_000, 70_100)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "uids.json"


def test_a_volume_keeps_its_users(path: Path) -> None:
    first = UidFile(path, RANGE).of("one")
    assert UidFile(path, RANGE).of("one") == first == UidFile(path, RANGE).known("one")
    assert first.box in RANGE and first.sidecar == first.box + 1


def test_no_user_is_given_twice_however_many_ask_at_once(path: Path) -> None:
    names = [f"volume-{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda name: UidFile(path, RANGE).of(name), names * 2))
    assert given[:40] == given[40:]
    numbers = [number for users in given[:40] for number in (users.box, users.sidecar)]
    assert len(set(numbers)) == 80 and set(numbers) <= set(RANGE)


def test_numbers_of_a_deleted_volume_rest_before_they_are_given_again(path: Path) -> None:
    uids = UidFile(path, RANGE)
    uids.of("kept")
    gone = uids.of("gone")
    uids.forget("gone")
    uids.forget("gone")
    assert uids.known("gone") is None
    later = [uids.of(f"later-{number}") for number in range(48)]
    assert gone not in later
    assert uids.of("last") == gone


def test_a_range_that_is_used_up_says_so(path: Path) -> None:
    uids = UidFile(path, range(70_000, 70_004))
    assert {uids.of("one").box, uids.of("two").box} == {70_000, 70_002}
    with pytest.raises(DriverError) as caught:
        uids.of("three")
    assert (caught.value.code, caught.value.permanent) == ("uids_used_up", True)


def test_two_installations_begin_at_different_places(tmp_path: Path) -> None:
    begins = {UidFile(tmp_path / f"{number}.json").of("same").box for number in range(20)}
    assert len(begins) > 15


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"next": 1, "volumes": {"one": 5}}',
        '{"next": 1, "volumes": {"one": ["a", "b"]}}',
        '{"next": 1, "volumes": {"one": [1, 2, 3]}}',
        '{"next": "x", "volumes": {}}',
    ],
)
def test_a_damaged_file_is_never_guessed_at(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(DriverError) as caught:
        UidFile(path, RANGE).of("one")
    assert (caught.value.code, caught.value.permanent) == ("uids_damaged", True)
    assert path.read_text() == content


def test_a_range_that_does_not_exist_here_says_what_to_set(path: Path) -> None:
    with pytest.raises(DriverError, match="OPENAGENT_UIDS_FIRST") as caught:
        UidFile(path, range(2**33, 2**33 + 10)).of("one")
    assert caught.value.permanent


def test_what_was_kept_is_read_again(path: Path) -> None:
    path.write_text('{"next": 70012, "volumes": {"one": [70010, 70011]}}')
    assert UidFile(path, RANGE).of("one") == HostUids(70_010, 70_011)
    assert UidFile(path, RANGE).of("two") == HostUids(70_012, 70_013)
