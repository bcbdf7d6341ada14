"""A sealed key opens for one sidecar and one purpose only, and other implementations of HPKE agree."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from pyhpke import AEADId, CipherSuite, KDFId, KEMId

from sidecar.protocol import sealing

GOLDEN = json.loads((Path(__file__).parents[2] / "fixtures" / "sealed_key.json").read_text())
SESSION = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
NONCE = bytes(range(16))
PURPOSE = {"session": SESSION, "generation": 1, "provider": "openai", "nonce": NONCE}

keys = st.binary(min_size=1, max_size=300)
purposes = st.fixed_dictionaries(
    {
        "session": st.uuids().map(str),
        "generation": st.integers(1, 2**31),
        "provider": st.sampled_from(["openai", "anthropic", "google", "demo"]),
        "nonce": st.binary(min_size=16, max_size=16),
        "base_url": st.sampled_from(["", "https://a.example.com/v1", "https://b.example.com/v1|"]),
    }
)


def public(private: X25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


@given(key=keys, purpose=purposes)
def test_what_is_sealed_opens_for_the_same_purpose(key: bytes, purpose: dict[str, object]) -> None:
    private = X25519PrivateKey.generate()
    info = sealing.info(**purpose)  # type: ignore[arg-type]
    assert sealing.open(private, sealing.seal(public(private), key, info), info) == key


@given(key=keys, sealed_for=purposes, opened_for=purposes)
def test_it_opens_for_no_other_purpose(
    key: bytes, sealed_for: dict[str, object], opened_for: dict[str, object]
) -> None:
    info, other = sealing.info(**sealed_for), sealing.info(**opened_for)  # type: ignore[arg-type]
    assert (info == other) == (sealed_for == opened_for)
    if info != other:
        private = X25519PrivateKey.generate()
        with pytest.raises(sealing.SealingError):
            sealing.open(private, sealing.seal(public(private), key, info), other)


def test_it_opens_for_nobody_else() -> None:
    info = sealing.info(**PURPOSE)  # type: ignore[arg-type]
    sealed = sealing.seal(public(X25519PrivateKey.generate()), b"sk-1", info)
    with pytest.raises(sealing.SealingError):
        sealing.open(X25519PrivateKey.generate(), sealed, info)


@given(data=st.data())
def test_a_flipped_bit_is_noticed(data: st.DataObject) -> None:
    private = X25519PrivateKey.generate()
    info = sealing.info(**PURPOSE)  # type: ignore[arg-type]
    sealed = bytearray(sealing.seal(public(private), b"sk-something-long", info))
    # The last bit of an X25519 public key is ignored by definition (RFC 7748, section 5).
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1).filter(lambda bit: bit != 255))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(sealing.SealingError):
        sealing.open(private, bytes(sealed), info)


def test_two_seals_of_one_key_differ() -> None:
    key, info = public(X25519PrivateKey.generate()), sealing.info(**PURPOSE)  # type: ignore[arg-type]
    assert sealing.seal(key, b"sk-1", info) != sealing.seal(key, b"sk-1", info)


@pytest.mark.parametrize(
    "public_key", [bytes(32), b"\x01" + bytes(31), bytes(31), bytes(33), b""], ids=lambda raw: f"{len(raw)}"
)
def test_an_unusable_public_key_is_refused(public_key: bytes) -> None:
    with pytest.raises(sealing.SealingError):
        sealing.seal(public_key, b"sk-1", sealing.info(**PURPOSE))  # type: ignore[arg-type]


@pytest.mark.parametrize("sealed", [b"", bytes(47), bytes(48), bytes(60), bytes(100_000)])
def test_garbage_does_not_open(sealed: bytes) -> None:
    with pytest.raises(sealing.SealingError):
        sealing.open(X25519PrivateKey.generate(), sealed, b"")


@pytest.mark.parametrize("key", [b"", bytes(8193)])
def test_an_impossible_key_is_not_sealed(key: bytes) -> None:
    with pytest.raises(sealing.SealingError):
        sealing.seal(public(X25519PrivateKey.generate()), key, b"info")


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": bytes(15)},
        {"generation": 0},
        {"provider": ""},
        {"provider": "a|b"},
        {"provider": "ä"},
        {"session": "no uuid"},
    ],
    ids=str,
)
def test_a_purpose_that_is_not_plain_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(sealing.SealingError):
        sealing.info(**{**PURPOSE, **change})  # type: ignore[arg-type]


def test_the_spelling_of_the_session_does_not_matter() -> None:
    other = {**PURPOSE, "session": uuid.UUID(SESSION).hex.upper()}
    assert sealing.info(**other) == sealing.info(**PURPOSE)  # type: ignore[arg-type]


def test_an_error_quotes_nothing() -> None:
    with pytest.raises(sealing.SealingError) as caught:
        sealing.from_text("sk-canary!")
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def golden_info() -> bytes:
    return sealing.info(
        session=GOLDEN["session"],
        generation=GOLDEN["generation"],
        provider=GOLDEN["provider"],
        nonce=sealing.from_text(GOLDEN["nonce"]),
    )


def test_the_golden_key_still_opens() -> None:
    private = X25519PrivateKey.from_private_bytes(sealing.from_text(GOLDEN["private_key"]))
    assert golden_info().decode() == GOLDEN["info"]
    assert sealing.to_text(public(private)) == GOLDEN["public_key"]
    opened = sealing.open(private, sealing.from_text(GOLDEN["sealed"]), golden_info())
    assert opened.decode() == GOLDEN["key"]


def independent_suite() -> CipherSuite:
    return CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM)


def test_another_implementation_opens_what_we_seal() -> None:
    suite, sealed = independent_suite(), sealing.from_text(GOLDEN["sealed"])
    private = suite.kem.deserialize_private_key(sealing.from_text(GOLDEN["private_key"]))
    context = suite.create_recipient_context(sealed[:32], private, info=golden_info())
    assert context.open(sealed[32:]).decode() == GOLDEN["key"]


def test_we_open_what_another_implementation_seals() -> None:
    suite, private = independent_suite(), X25519PrivateKey.generate()
    enc, context = suite.create_sender_context(
        suite.kem.deserialize_public_key(public(private)), info=golden_info()
    )
    assert sealing.open(private, enc + context.seal(b"sk-theirs"), golden_info()) == b"sk-theirs"
