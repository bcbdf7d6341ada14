"""Agents of an administrator: how one is registered, and the one that tests of the platform work with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx2

from tests.end_to_end.client import CALL_SECONDS, sign_in
from tests.fakes import working_agent

WORKING = "working"
"""An agent that works with its model for real and starts in a fraction of the time that OpenCode needs."""
SLUGGISH = "sluggish"
"""The same, but its start takes some seconds, so that a test can do something meanwhile."""
_START_SECONDS = {WORKING: 0, SLUGGISH: 4}


def register(url: str, **fields: str) -> None:
    """Fill in the form of the admin, as its first user."""
    cookies = {cookie["name"]: cookie["value"] for cookie in sign_in(url)}
    page = f"{url}/admin/sessions_app/customagent/add/"
    headers = {"origin": url, "referer": page}
    with httpx2.Client(cookies=cookies, headers=headers, timeout=CALL_SECONDS) as browser:
        form = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get(page).text)
        assert form, "no form for a new agent"
        answer = browser.post(page, data={"csrfmiddlewaretoken": form[1], **fields})
        assert answer.status_code == 302, answer.text


def register_working(url: str) -> None:
    """So that sessions can be made with these agents, for a provider that speaks chat completions."""
    for slug, seconds in _START_SECONDS.items():
        known = {"GATE": "{gate}", "MODEL": "{model}", "TOKEN": "{token}"}
        register(
            url,
            slug=slug,
            name=slug.capitalize(),
            command=json.dumps(["python3", "-c", Path(working_agent.__file__).read_text()]),
            environment=json.dumps({**known, "START_SECONDS": f"{seconds}"}),
            wires=json.dumps(["openai-chat"]),
            is_enabled="on",
        )
