"""OpenCode's parts are pinned to one version, as far as npm has it; Claude Code's is that of its pin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "deploy" / "agents"
PROGRAM, PLUGIN, ARM64 = "opencode-linux-x64", "@opencode-ai/plugin", "opencode-linux-arm64"
NEWEST_FOR_ARM64 = "1.18.18"
"""npm has no newer build for arm64; as soon as it has that of the others, this is one version again."""


def read(path: str) -> Any:
    return json.loads((FOLDER / path).read_text(encoding="utf-8"))


def manifest() -> Any:
    return read("package.json")


def locked(agent: str = ".") -> Any:
    return read(f"{agent}/package-lock.json")["packages"]


def test_the_program_and_its_plugin_are_of_one_version() -> None:
    programs, plugins = manifest()["optionalDependencies"], manifest()["dependencies"]
    assert set(programs) == {PROGRAM, ARM64} and set(plugins) == {PLUGIN}
    assert plugins[PLUGIN] == programs[PROGRAM]
    assert programs[ARM64] in (programs[PROGRAM], NEWEST_FOR_ARM64)


def test_the_lock_has_what_is_pinned() -> None:
    packages = locked()
    for name, version in (manifest()["optionalDependencies"] | manifest()["dependencies"]).items():
        assert packages[f"node_modules/{name}"]["version"] == version


def test_the_version_of_claude_code_that_is_written_down_is_that_of_the_pin() -> None:
    """No lock has it: its package's number ends alike, and a file of it says it, where it is installed."""
    package = "node_modules/@anthropic-ai/claude-agent-sdk"
    written, number = read("claude/package.json")["config"]["program"], locked("claude")[package]["version"]
    told = (
        f"deploy/agents/claude/package.json has config.program {written} for {number}: use `make agent-pin`"
    )
    assert written.rpartition(".")[2] == number.rpartition(".")[2], told
    path = FOLDER / "claude" / package / "package.json"
    installed = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"version": None}
    assert installed["version"] != number or installed["claudeCodeVersion"] == written, told
