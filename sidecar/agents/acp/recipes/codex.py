"""Codex through its ACP adapter: its provider is a matter of a file, and it brings a sandbox of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sidecar.agents.acp.recipe import Recipe, Setting

TOKEN = "OPENAGENT_GATE_TOKEN"


def command(setting: Setting) -> list[str]:
    """The adapter, which brings Codex along."""
    return [setting.node, f"{setting.folder}/codex/node_modules/@agentclientprotocol/codex-acp/dist/index.js"]


def environment(setting: Setting) -> Mapping[str, str]:
    """Where its file is, and the token that the file names."""
    return {"CODEX_HOME": f"{setting.context.home}/.codex", TOKEN: setting.context.token}


def files(setting: Setting) -> Mapping[str, str]:
    """Its provider is the gate."""
    silence = int(setting.context.silence_seconds * 1000)
    lines = [
        f"model = {json.dumps(setting.model)}",
        'model_provider = "openagent"',
        "check_for_update_on_startup = false",
        "[analytics]",
        "enabled = false",
        "[model_providers.openagent]",
        f"name = {json.dumps(setting.context.provider.name)}",
        f"base_url = {json.dumps(setting.gate + '/v1')}",
        f'env_key = "{TOKEN}"',
        'wire_api = "responses"',
        f"stream_idle_timeout_ms = {silence}",
        "",
    ]
    return {".codex/config.toml": "\n".join(lines)}


RECIPE = Recipe(
    id="codex",
    name="Codex",
    command=command,
    environment=environment,
    files=files,
    remarks=r"Warning: Model metadata for [^\n]{0,1000}\s*",
)
