"""KEKs are read in every usual spelling; bad ones are refused without being quoted."""

from __future__ import annotations

import base64

import pytest

from keys_app import keyring
from keys_app.keks.local import LocalKek

RAW = bytes(range(200, 232))


@pytest.mark.parametrize(
    "text",
    [
        RAW.hex(),
        RAW.hex().upper(),
        base64.b64encode(RAW).decode(),
        base64.urlsafe_b64encode(RAW).decode(),
        "k1:" + RAW.hex(),
    ],
)
def test_every_spelling_of_a_kek_is_the_same_kek(text: str) -> None:
    assert keyring.parse(text).first == LocalKek(RAW)


@pytest.mark.parametrize("separator", [",", ", ", " ", "\n"], ids=repr)
def test_the_first_encrypts_and_all_decrypt(separator: str) -> None:
    one, two = keyring.generate(), keyring.generate()
    ring = keyring.parse(one + separator + two)
    assert ring.first == keyring.parse(one).first
    other = keyring.parse(two).first
    assert ring.get(other.id) == other
    assert ring.get("0123456789abcdef") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ,",
        "canary",
        "canary" * 8,
        RAW.hex()[:-2],
        base64.b64encode(RAW[:-1]).decode(),
        "ß" * 64,
        "arn:aws:kms:eu-west-1:111122223333:alias/canary",
        "arn:aws:kms:canary",
    ],
)
def test_a_bad_kek_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(keyring.BadKeyring) as caught:
        keyring.parse(text)
    assert "32 random bytes" in str(caught.value)
    assert "canary" not in str(caught.value)
