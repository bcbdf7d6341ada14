"""Secrets do not come out, however they are written."""

from __future__ import annotations

import base64
import copy
import html
import io
import json
import logging
import pickle
import urllib.parse

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from openagent.lib import log
from openagent.lib.redact import MASK, Redactor, Secret

VALUE = 's3cr3t/välue+with "odd" <chars>&\'\\more'


def written(redactor: Redactor, text: str) -> str:
    return redactor.text(f"before {text} after")


@pytest.mark.parametrize(
    "encode",
    [
        str,
        repr,
        json.dumps,
        html.escape,
        urllib.parse.quote,
        urllib.parse.quote_plus,
        lambda value: urllib.parse.quote(value, safe=""),
        lambda value: urllib.parse.urlencode({"key": value}),
        lambda value: json.dumps({"nested": [value]}, ensure_ascii=False),
        lambda value: value.encode().hex(),
        lambda value: base64.b64encode(value.encode()).decode(),
        lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
        lambda value: base64.b64encode(f"user:{value}".encode()).decode(),
        lambda value: base64.b64encode(f"u:{value}:tail".encode()).decode(),
        lambda value: base64.b64encode(f"us:{value}".encode()).decode(),
    ],
)
def test_a_live_secret_is_masked_in_every_spelling(encode: object) -> None:
    redactor = Redactor()
    redactor.protect(VALUE)
    assert callable(encode)
    line = written(redactor, encode(VALUE))
    assert MASK in line
    assert "s3cr3t" not in line
    assert base64.b64encode(VALUE.encode()).decode()[4:20] not in line
    assert line.startswith("before ") and line.endswith(" after")


@given(value=st.text(min_size=8, max_size=60).filter(lambda text: text.strip() == text))
def test_no_live_secret_survives_json(value: str) -> None:
    redactor = Redactor()
    redactor.protect(value)
    assert value not in json.dumps(redactor.value({"event": f"a {value} b"}), ensure_ascii=False)


def test_a_forgotten_secret_is_masked_no_more_and_counts_are_kept() -> None:
    redactor = Redactor()
    redactor.protect("the-live-value")
    with redactor.protected("the-live-value"):
        assert redactor.text("the-live-value") == MASK
    assert redactor.text("the-live-value") == MASK
    redactor.forget("the-live-value")
    assert redactor.text("the-live-value") == "the-live-value"


def test_short_values_are_not_masked_because_they_are_ordinary_words() -> None:
    redactor = Redactor()
    redactor.protect("", "a", "abcde")
    assert redactor.text("a word abcde") == "a word abcde"


@pytest.mark.parametrize(
    "key",
    [
        "sk-ant-api03-abcdefghijklmnop",
        "sk-proj-ABCDEFGHIJKLMNOP1234",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "github_pat_11ABCDEFG0abcdefghijkl_mnop",
        "glpat-abcdefghijklmnopqrst",
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "AQ.Ab8RN6Izabcdefghijklmnopqrstuvwxyz",
        "AKIAIOSFODNN7EXAMPLE",
        "oat_0123456789abcdef0123456789",
        "gsk_abcdefghijklmnopqrstuvwx",
        "xoxb-1234567890-abcdefghij",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijklmnop",
        "-----BEGIN PRIVATE KEY-----\nMIIEv\n-----END PRIVATE KEY-----",
    ],
)
def test_keys_are_known_by_their_shape(key: str) -> None:
    assert key not in Redactor().text(f"the answer to {key} was 401")


@pytest.mark.parametrize(
    ("line", "leaks"),
    [
        ("Authorization: Bearer abc.def-123456", "123456"),
        ("authorization=Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ('{"x-api-key": "plain-old-value"}', "plain-old-value"),
        ("{'X-Goog-Api-Key': b'plain-old-value'}", "plain-old-value"),
        ('"{\\"api_key\\": \\"plain-old-value\\"}"', "plain-old-value"),
        ("GET /v1/models?key=1&api_key=plain-old-value&x=2", "plain-old-value"),
        ("Cookie: sessionid=abcdefgh; csrftoken=ijklmnop", "abcdefgh"),
        ("postgres://me:hunter22@db/name", "hunter22"),
        ("password=correct-horse next", "correct-horse"),
        ("sent Bearer abcdefgh12345678 upstream", "abcdefgh12345678"),
    ],
)
def test_what_a_name_calls_secret_is_masked(line: str, leaks: str) -> None:
    assert leaks not in Redactor().text(line)


@pytest.mark.parametrize(
    "line",
    [
        "the session 0b1f3dc5-5f0e-4a52-9b8e-d4b1a1c1f001 is ready",
        "tokens=1234 output_tokens: 77",
        "GET /api/v1/sessions/?limit=50 200",
    ],
)
def test_ordinary_lines_stay_as_they_are(line: str) -> None:
    assert Redactor().text(line) == line


def test_fields_are_masked_by_name_at_any_depth() -> None:
    event = {"headers": {"Authorization": "x", "Accept": "y"}, "list": [{"api_key": 1}]}
    assert Redactor().value(event) == {
        "headers": {"Authorization": MASK, "Accept": "y"},
        "list": [{"api_key": MASK}],
    }


def test_a_secret_shows_itself_to_nobody_who_does_not_ask() -> None:
    secret = Secret("the real value")
    for shown in (str(secret), repr(secret), f"{secret}", f"{secret:>20}", "%s" % secret, str([secret])):  # noqa: UP031
        assert "real" not in shown
    assert json.dumps({"key": secret}, default=str) == '{"key": "***"}'
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert pickle.loads(pickle.dumps(secret)).reveal() == MASK
    assert b"real" not in pickle.dumps(secret)
    assert copy.deepcopy([secret])[0].reveal() == MASK
    assert not hasattr(secret, "__dict__")
    with pytest.raises(AttributeError):
        secret.other = 1
    assert secret == Secret("the real value") != Secret("another")
    assert bool(secret) and not Secret("")
    assert secret.reveal() == "the real value"


@pytest.fixture
def lines() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def handler(lines: io.StringIO) -> logging.Handler:
    settings = log.configure("json", "INFO")["formatters"]["structured"]
    handler = logging.StreamHandler(lines)
    handler.setFormatter(
        log.RedactingFormatter(
            processors=settings["processors"], foreign_pre_chain=settings["foreign_pre_chain"]
        )
    )
    return handler


def test_a_log_line_is_json_with_ids_and_without_secrets(
    handler: logging.Handler, lines: io.StringIO
) -> None:
    logger = logging.getLogger("tests.of.log")
    logger.addHandler(handler)
    try:
        with log.protected(VALUE), log.context(session="s-1", instance="i-1", turn="t-1"):
            log.get("tests.of.log").warning("it_happened", password="short", detail=f"with {VALUE}")
            logger.error("the old way: %s", VALUE)
            try:
                raise ValueError(f"bad key {VALUE}")
            except ValueError:
                log.get("tests.of.log").exception("it_failed", headers={"X-Api-Key": "plain"})
    finally:
        logger.removeHandler(handler)
    first, second, third = map(json.loads, lines.getvalue().splitlines())
    assert (first["event"], first["session_id"], first["instance_id"], first["turn_id"]) == (
        "it_happened",
        "s-1",
        "i-1",
        "t-1",
    )
    assert (first["password"], first["detail"]) == (MASK, f"with {MASK}")
    assert (second["event"], second["level"]) == (f"the old way: {MASK}", "error")
    assert "bad key ***" in third["exception"]
    assert third["headers"] == {"X-Api-Key": MASK}
    assert "s3cr3t" not in lines.getvalue()


def test_ids_are_gone_after_the_block() -> None:
    with log.context(session="s-1"):
        pass
    assert "session_id" not in structlog.contextvars.get_contextvars()


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        "a-",
        "a_",
        "a.",
        "a+",
        "eyJ-",
        "eyJa.",
        "password",
        "token ",
        "token\\",
        "a://b:",
        "-----BEGIN ",
    ],
)
def test_no_text_takes_longer_than_its_length(piece: str) -> None:
    """Reading it again from each of its places would take a quarter of an hour."""
    text = piece * (200_000 // len(piece))
    assert Redactor().text(text) == text
