"""KEKs are read in every usual spelling, bad ones are refused without being quoted, files are made once."""

from __future__ import annotations

import base64
import stat
import threading
from pathlib import Path

import pytest

from keys_app import keyring

RAW = bytes(range(200, 232))


@pytest.mark.parametrize(
    "text",
    [RAW.hex(), RAW.hex().upper(), base64.b64encode(RAW).decode(), base64.urlsafe_b64encode(RAW).decode()],
)
def test_every_spelling_of_a_kek_is_the_same_kek(text: str) -> None:
    assert keyring.parse(text).first.key == RAW


@pytest.mark.parametrize("separator", [",", ", ", " ", "\n"], ids=repr)
def test_the_first_encrypts_and_all_decrypt(separator: str) -> None:
    one, two = keyring.generate(), keyring.generate()
    ring = keyring.parse(one + separator + two)
    assert ring.first == keyring.parse(one).first
    other = keyring.parse(two).first
    assert ring.get(other.id) == other
    assert ring.get("0123456789abcdef") is None


@pytest.mark.parametrize(
    "text", ["", " ,", "canary", "canary" * 8, RAW.hex()[:-2], base64.b64encode(RAW[:-1]).decode(), "ß" * 64]
)
def test_a_bad_kek_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(keyring.BadKeyring) as caught:
        keyring.parse(text)
    assert "32 random bytes" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_made_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "kek"
    assert keyring.make_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(keyring.parse(path.read_text()).first.key) == 32


def test_a_file_is_made_once_however_many_try(tmp_path: Path) -> None:
    path, made, barrier = tmp_path / "kek", list[bool](), threading.Barrier(8)

    def make() -> None:
        barrier.wait()
        made.append(keyring.make_file(path))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made.count(True) == 1
    assert list(tmp_path.iterdir()) == [path]
    before = path.read_text()
    assert not keyring.make_file(path)
    assert path.read_text() == before
