"""Packages from the registries that this machine's own tools use, in a box that nobody has set up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import pytest

from openagent.lib.registries import TOOLS, Findings
from sessions_app.services import registries
from tests.fakes.probe_link import Probe

COMMANDS = {
    "pip": "pip install --quiet --no-deps iniconfig && python3 -c 'import iniconfig'",
    "npm": "mkdir -p /tmp/npm && cd /tmp/npm && npm install --no-audit isexe && ls node_modules/isexe",
    "apt-get": "apt-get -q update && apt-get -q install -y --no-install-recommends hello && hello",
}


def told(found: Findings) -> dict[str, str]:
    """What a box is told of them. Without their answers the test ends here."""
    if {each.tool for each in found.registries} != set(TOOLS) or found.unsure:
        pytest.skip(f"this machine's registries do not answer: {found.problems}")
    return registries.told_of([asdict(each) for each in found.registries])


def check(probe: Probe, found: Findings, commands: Mapping[str, str]) -> None:
    """They are refused with words for it while nothing is allowed, and work when they are."""
    trusted = [f"{each.host}:{each.port}" for each in found.registries]
    for policy, is_let in (("none", False), ("allow-list", True)):
        probe.egress(policy=policy, trusted=trusted)
        for command in commands.values():
            code, output = probe.box("bash", "-c", f"exec 2>&1; {command}")
            assert (code == 0) is is_let, output
            assert is_let or "network policy" in output or "403" in output, output
