"""An envelope opens only where it was made, with the KEK that wrapped it, and only if nothing changed."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys_app import envelope, keyring
from keys_app.keks.local import LocalKek
from openagent.lib.redact import Secret

RING = keyring.parse(keyring.generate())
PLACE = {"table": "t", "row": "r", "owner": "o", "provider": "openai", "version": 1}

FIELDS = ["dek_nonce", "wrapped_dek", "nonce", "ciphertext", "commitment"]

secrets = st.text(max_size=300).map(Secret)
words = st.text(max_size=20)
places = st.fixed_dictionaries(
    {"table": words, "row": words, "owner": words, "provider": words, "version": st.integers(1, 10**6)}
)


def context(place: dict[str, object]) -> bytes:
    return envelope.context(**place)  # type: ignore[arg-type]


@given(secret=secrets, place=places)
def test_it_opens_where_it_was_made(secret: Secret, place: dict[str, object]) -> None:
    made = envelope.encrypt(RING, secret, context(place))
    assert envelope.decrypt(RING, made, context(place)) == secret


@given(secret=secrets, made_at=places, opened_at=places)
def test_it_opens_nowhere_else(
    secret: Secret, made_at: dict[str, object], opened_at: dict[str, object]
) -> None:
    assert (context(made_at) == context(opened_at)) == (made_at == opened_at)
    if made_at != opened_at:
        made = envelope.encrypt(RING, secret, context(made_at))
        with pytest.raises(envelope.EnvelopeError, match="changed"):
            envelope.decrypt(RING, made, context(opened_at))


def changed(made: envelope.Envelope, name: str, value: object) -> envelope.Envelope:
    fields: dict[str, Any] = {name: value}
    return dataclasses.replace(made, **fields)


def test_parts_cannot_be_shifted_into_one_another() -> None:
    one, other = {**PLACE, "row": "a|1:b", "owner": "c"}, {**PLACE, "row": "a", "owner": "b|1:c"}
    assert context(one) != context(other)


@given(data=st.data(), name=st.sampled_from(FIELDS))
def test_any_flipped_bit_is_noticed(data: st.DataObject, name: str) -> None:
    made = envelope.encrypt(RING, Secret("sk-something"), context(PLACE))
    value = bytearray(getattr(made, name))
    bit = data.draw(st.integers(0, len(value) * 8 - 1))
    value[bit // 8] ^= 1 << bit % 8
    with pytest.raises(envelope.EnvelopeError, match="changed"):
        envelope.decrypt(RING, changed(made, name, bytes(value)), context(PLACE))


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", [b"", b"x", bytes(500)], ids=["empty", "short", "long"])
def test_a_misshapen_field_is_noticed(name: str, value: bytes) -> None:
    made = envelope.encrypt(RING, Secret("sk-something"), context(PLACE))
    with pytest.raises(envelope.EnvelopeError, match="changed"):
        envelope.decrypt(RING, changed(made, name, value), context(PLACE))


@pytest.mark.parametrize("name", FIELDS)
def test_no_field_can_come_from_another_envelope(name: str) -> None:
    one = envelope.encrypt(RING, Secret("sk-one"), context(PLACE))
    other = envelope.encrypt(RING, Secret("sk-other"), context(PLACE))
    with pytest.raises(envelope.EnvelopeError, match="changed"):
        envelope.decrypt(RING, changed(one, name, getattr(other, name)), context(PLACE))


def test_another_kek_does_not_open_it() -> None:
    made = envelope.encrypt(RING, Secret("sk-something"), context(PLACE))
    with pytest.raises(envelope.EnvelopeError, match="unknown_kek"):
        envelope.decrypt(keyring.parse(keyring.generate()), made, context(PLACE))


class Liar(LocalKek):
    """A KEK that says it is another one."""

    def __init__(self, id: str) -> None:
        super().__init__(bytes(32))
        object.__setattr__(self, "_id", id)

    @property
    def id(self) -> str:
        return str(self._id)  # type: ignore[attr-defined]


def test_a_kek_that_claims_another_id_does_not_open_it() -> None:
    made = envelope.encrypt(RING, Secret("sk-something"), context(PLACE))
    liar = keyring.Keyring([Liar(made.kek_id)])
    with pytest.raises(envelope.EnvelopeError, match="changed"):
        envelope.decrypt(liar, made, context(PLACE))


def test_every_envelope_is_unlike_every_other() -> None:
    one, other = (envelope.encrypt(RING, Secret("sk-same"), context(PLACE)) for _ in range(2))
    for field in dataclasses.fields(envelope.Envelope):
        if field.name != "kek_id":
            assert getattr(one, field.name) != getattr(other, field.name)


@given(secret=secrets)
def test_a_rotated_kek_opens_what_was_wrapped_again(secret: Secret) -> None:
    old, new = keyring.generate(), keyring.generate()
    made = envelope.encrypt(keyring.parse(old), secret, context(PLACE))
    both = keyring.parse(f"{new} {old}")
    assert envelope.decrypt(both, made, context(PLACE)) == secret
    wrapped = envelope.rewrap(both, made, context(PLACE))
    assert wrapped.ciphertext == made.ciphertext
    assert envelope.decrypt(keyring.parse(new), wrapped, context(PLACE)) == secret
    with pytest.raises(envelope.EnvelopeError, match="unknown_kek"):
        envelope.decrypt(keyring.parse(old), wrapped, context(PLACE))


def test_nothing_shows_its_bytes() -> None:
    made = envelope.encrypt(RING, Secret("sk-something"), context(PLACE))
    assert repr(made) == f"Envelope(kek_id={made.kek_id!r})"
    assert repr(RING.first) == f"LocalKek({RING.first.id})"
