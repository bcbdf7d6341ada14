"""A terminal in Chromium while parts of the platform are killed: each keystroke arrives once, in order."""

from __future__ import annotations

import hashlib
import random
import re

import pytest
from playwright.sync_api import Browser

from tests.end_to_end.browser import Window
from tests.end_to_end.browser_terminal import TerminalScreen
from tests.end_to_end.client import sign_in
from tests.end_to_end.custom_agents import WORKING
from tests.end_to_end.rig import Rig

pytestmark = pytest.mark.variant

KEYS = 1200
AT_A_TIME = 20
KILLED = {300: "web", 600: "redis", 900: "web"}
"""After so many keystrokes; typing goes on."""


def test_keystrokes_while_web_and_redis_are_killed(broken: Rig, chromium: Browser) -> None:
    session = broken.client.new_session(agent=WORKING, mode="auto", title="Typed in")
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.add_cookies(list(sign_in(broken.product.url)))  # type: ignore[arg-type]
    window = Window(context, broken.product.url)
    window.allow_outages()
    window.allow(502, 503)
    terminal = TerminalScreen(window, session).open_one()
    typed = "".join(random.Random(3).choices("abcdefghijklmnop", k=KEYS))
    terminal.run(
        f"stty raw -echo; echo ready-'now'; head -c {KEYS} | sha256sum; stty sane; echo; echo hashed-'it'"
    )
    terminal.wait_for("ready-now")
    for place in range(0, KEYS, AT_A_TIME):
        if part := KILLED.get(place):
            broken.wait_until_whole()
            broken.kill(part)
        terminal.type(typed[place : place + AT_A_TIME])
    terminal.wait_for("\nhashed-it")
    (hashed,) = re.findall(r"\b([0-9a-f]{64})  -", terminal.text())
    assert hashed == hashlib.sha256(typed.encode()).hexdigest()
    assert terminal.page.evaluate("tap.sockets.length") > 1, "nothing was cut"
    terminal.expect_reference()
    window.close()
    assert window.complaints == []
    broken.client.post(f"/sessions/{session}/stop/")
