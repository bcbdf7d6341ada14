"""The configuration file: read once, checked, and never quoted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sidecar import config

GOOD: dict[str, Any] = {
    "instance": "i",
    "token": "very-secret-token",
    "link": {"unix": "/run/link.sock"},
    "journal": "/journal",
    "box_socket": "/run/box.sock",
    "agent": "opencode",
    "driver": "process",
}


def load(tmp_path: Path, content: Any) -> config.Config:
    path = tmp_path / "config.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return config.load(path)


def test_a_drivers_configuration_is_read(tmp_path: Path) -> None:
    loaded = load(tmp_path, GOOD)
    assert (loaded.instance, loaded.token, loaded.link.unix) == ("i", "very-secret-token", "/run/link.sock")
    assert loaded.limits.journal_bytes == 64 * 1024 * 1024


def test_fields_of_later_versions_are_no_error(tmp_path: Path) -> None:
    limits = {"journal_bytes": 1000, "something_new": 5}
    assert load(tmp_path, {**GOOD, "colour": "blue", "limits": limits}).limits.journal_bytes == 1000


@pytest.mark.parametrize(
    "content",
    [
        "",
        "very-secret-token",
        "[]",
        {**GOOD, "token": ["very-secret-token"]},
        {**GOOD, "token": None},
        {key: value for key, value in GOOD.items() if key != "journal"},
        {**GOOD, "link": {}},
        {**GOOD, "link": {"unix": "/a", "url": "wss://b"}},
        {**GOOD, "link": {"url": "https://very-secret-token"}},
    ],
)
def test_what_cannot_be_used_is_refused_without_quoting_it(tmp_path: Path, content: Any) -> None:
    with pytest.raises(config.ConfigError) as refused:
        load(tmp_path, content)
    assert "very-secret" not in str(refused.value)


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigError, match="No such file"):
        config.load(tmp_path / "none.json")


def test_a_configuration_does_not_show_its_token(tmp_path: Path) -> None:
    assert "very-secret" not in repr(load(tmp_path, GOOD))
