"""Logs are JSON lines with ids, and no secret gets into them however it is dressed up."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from sidecar import log

KEY = 'key/with+odd"chars=\\and-é-0123456789abcdef'
TOKEN = "f0e1d2c3b4a5968778695a4b3c2d1e0f"


@pytest.fixture
def lines() -> Iterator[Any]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    log.configure("debug", stream)
    log.hide(KEY)
    log.hide(TOKEN)

    def written() -> list[Any]:
        found = [json.loads(line) for line in stream.getvalue().splitlines()]
        # Not what asyncio says when it finds the remains of another test's tasks.
        return [line for line in found if line.get("logger") != "asyncio"]

    yield written
    structlog.configure(**before[2])
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    log._hidden.clear()
    log._hiding.clear()


def test_a_line_is_json_with_its_ids(lines: Any) -> None:
    log.begin(instance_id="i1")
    log.bind(session_id="s1")
    log.get("sidecar.link").info("link is up", attempt=3)
    log.unbind("session_id")
    logging.getLogger("other.library").warning("plain %s", "message")
    first, second = lines()
    assert first["event"] == "link is up" and first["attempt"] == 3 and first["level"] == "info"
    assert (first["instance_id"], first["session_id"], first["logger"]) == ("i1", "s1", "sidecar.link")
    assert second["event"] == "plain message" and second["instance_id"] == "i1" and "session_id" not in second


async def test_ids_reach_tasks_that_run_already(lines: Any) -> None:
    bound = asyncio.Event()

    async def earlier() -> None:
        await bound.wait()
        log.get("x").info("earlier")

    log.begin(instance_id="i1")
    task = asyncio.create_task(earlier())
    await asyncio.sleep(0)
    log.bind(turn_id="t1")
    bound.set()
    await task
    (line,) = lines()
    assert (line["instance_id"], line["turn_id"]) == ("i1", "t1")


@pytest.mark.parametrize("secret", [KEY, TOKEN])
def test_no_form_of_a_secret_is_written(lines: Any, secret: str) -> None:
    logger = log.get("x")
    encoded = [base64.b64encode(prefix + secret.encode()).decode() for prefix in (b"", b"a", b"ab", b"user:")]
    logger.info(f"message with {secret}", value=secret, nested={"deep": [secret, (secret,)], secret: 1})
    logger.info("encoded", as_json=json.dumps({"k": secret}), url=urllib.parse.quote(secret), b64=encoded)
    logger.info("bytes", raw=secret.encode(), text=repr({"k": secret}))
    try:
        raise ValueError(f"cannot use {secret}")
    except ValueError:
        logger.exception("failed")
    logging.getLogger("library").error("foreign %s", {"header": secret})
    written = json.dumps(lines(), ensure_ascii=False) + json.dumps(lines())
    for form in (secret, json.dumps(secret)[1:-1], urllib.parse.quote(secret, safe=""), *encoded):
        assert form not in written
    assert written.count(log.REDACTED) >= 10


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key sk-ant-api03-abcdefghijklmnop.", "abcdefghijklmnop"),
        ("Authorization: Bearer abc.def-ghi_jkl", "abc.def-ghi_jkl"),
        ("token=oat_0123456789abcdefghij", "0123456789abcdefghij"),
        ("https://x:ghp_0123456789abcdefghij@github.com/", "0123456789abcdefghij"),
        ("a token: github_pat_11ABCDEFG0123456789", "11ABCDEFG0123456789"),
        ("?key=AIzaSyA0123456789abcdefghijk", "0123456789abcdefghijk"),
        ('{"authorization": "Basic dXNlcjpwYXNzd29yZA=="}', "dXNlcjpwYXNzd29yZA"),
    ],
)
def test_what_looks_like_a_key_is_not_written_though_nobody_named_it(
    lines: Any, text: str, secret: str
) -> None:
    log.get("x").warning("upstream said", text=text)
    (line,) = lines()
    assert log.REDACTED in line["text"] and secret not in line["text"]


def test_what_two_have_hidden_is_hidden_until_both_have_it_no_more(lines: Any) -> None:
    log.hide(TOKEN)
    log.unhide(TOKEN)
    assert log.redact(TOKEN) == log.REDACTED
    log.unhide(TOKEN)
    log.unhide(TOKEN)
    assert log.redact(TOKEN) == TOKEN


def test_ordinary_words_stay(lines: Any) -> None:
    text = "task_manager asks sk8ers; basic income; 7f1b7a52-3d0c-4f0e-9a55-0d6f6b1f0c02"
    log.get("x").info(text)
    log.hide("abc")
    log.get("x").info("abc")
    assert [line["event"] for line in lines()] == [text, "abc"]


def test_a_value_without_a_json_form_is_written_as_text(lines: Any) -> None:
    log.get("x").info("odd", value=object(), path={1, 2})
    (line,) = lines()
    assert line["value"].startswith("<object")
