"""OpenCode's parts are pinned to one version, as far as npm has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "deploy" / "agents"
PROGRAM, PLUGIN, ARM64 = "opencode-linux-x64", "@opencode-ai/plugin", "opencode-linux-arm64"
NEWEST_FOR_ARM64 = "1.18.18"
"""npm has no newer build for arm64; as soon as it has that of the others, this is one version again."""


def manifest() -> Any:
    return json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))


def locked() -> Any:
    return json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))["packages"]


def test_the_program_and_its_plugin_are_of_one_version() -> None:
    programs, plugins = manifest()["optionalDependencies"], manifest()["dependencies"]
    assert set(programs) == {PROGRAM, ARM64} and set(plugins) == {PLUGIN}
    assert plugins[PLUGIN] == programs[PROGRAM]
    assert programs[ARM64] in (programs[PROGRAM], NEWEST_FOR_ARM64)


def test_the_lock_has_what_is_pinned() -> None:
    packages = locked()
    for name, version in (manifest()["optionalDependencies"] | manifest()["dependencies"]).items():
        assert packages[f"node_modules/{name}"]["version"] == version
