"""Settings of this host's programs that a box would see are found, wherever these are told to look."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sessions_app.drivers import host_settings


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this host really has is not looked at."""
    monkeypatch.setattr(host_settings, "_PREFIXES", (str(tmp_path / "usr"),))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "usr"))


def put(*paths: Path, content: str = "_authToken=CANARY") -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def files(root: Path, **environment: str) -> set[str]:
    found = host_settings.files(environment, npm=root / "usr/bin/npm", shown=[root / "usr"])
    return {str(path.relative_to(root)) for path in found}


def test_what_lies_beside_a_program_is_found_and_nothing_where_no_box_looks(tmp_path: Path) -> None:
    usr, elsewhere = tmp_path / "usr", tmp_path / "etc" / "npmrc"
    put(usr / "pip.conf", usr / "etc" / "gitconfig", elsewhere)
    (usr / "etc" / "npmrc").symlink_to(elsewhere)
    assert files(tmp_path) == {"usr/pip.conf", "usr/etc/gitconfig"}


def test_the_settings_that_npm_comes_with_say_where_more_are(tmp_path: Path) -> None:
    usr = tmp_path / "usr"
    package = usr / "libexec" / "npm"
    put(package / "bin" / "npm-cli.js")
    put(package / "npmrc", content=f'; ours\nglobalconfig = {usr}/conf/npmrc\nprefix="{usr}/opt"\n')
    put(usr / "conf" / "npmrc", usr / "opt" / "etc" / "npmrc")
    (usr / "bin").mkdir()
    (usr / "bin" / "npm").symlink_to(package / "bin" / "npm-cli.js")
    assert files(tmp_path) == {"usr/libexec/npm/npmrc", "usr/conf/npmrc", "usr/opt/etc/npmrc"}


def test_the_platforms_environment_says_where_more_are(tmp_path: Path) -> None:
    usr = tmp_path / "usr"
    put(usr / "a", usr / "b", usr / "p" / "etc" / "npmrc", usr / "rust" / "credentials.toml", tmp_path / "c")
    named = {"npm_config_globalconfig": str(usr / "a"), "PIP_CONFIG_FILE": str(usr / "b")}
    named |= {"NPM_CONFIG_PREFIX": str(usr / "p"), "CARGO_HOME": str(usr / "rust")}
    assert files(tmp_path, **named) == {"usr/a", "usr/b", "usr/p/etc/npmrc", "usr/rust/credentials.toml"}
    assert files(tmp_path, PIP_CONFIG_FILE=str(tmp_path / "c"), CARGO_HOME="rust") == set()
