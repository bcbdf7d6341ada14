"""Codex through its ACP adapter: its provider is a matter of a file, and it wants a sandbox of its own.

That sandbox needs namespaces, which the box does not let it make: the box is the sandbox. So it runs in the
one mode that does without, in which it asks for nothing; its other modes only let it read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sidecar.agents.acp.recipe import Recipe, Setting

TOKEN = "OPENAGENT_GATE_TOKEN"

_SCREEN = """
has=$(find "$CODEX_HOME/sessions" -name "*$2*" 2>/dev/null)
exec "$1" ${has:+fork "$2"} --sandbox danger-full-access
"""


def command(setting: Setting) -> list[str]:
    """The adapter, which brings Codex along."""
    return [setting.node, f"{setting.folder}/codex/node_modules/@agentclientprotocol/codex-acp/dist/index.js"]


def screen(setting: Setting, session: str) -> list[str]:
    """Codex itself, with a copy of the conversation, if there has been any; without a sandbox, as above."""
    package = f"@openai/codex-linux-{setting.machine}/vendor"
    triple = f"{'aarch64' if setting.machine == 'arm64' else 'x86_64'}-unknown-linux-musl"
    program = f"{setting.folder}/codex/node_modules/{package}/{triple}/bin/codex"
    return ["sh", "-c", _SCREEN, "sh", program, session]


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
        "suppress_unstable_features_warning = true",
        "[analytics]",
        "enabled = false",
        # It would fetch them at each start, and not be ready while a person is asked for their hosts.
        "[features]",
        "plugins = false",
        "apps = false",
        # Its questions are otherwise for a mode that it does not offer here.
        "default_mode_request_user_input = true",
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
    screen=screen,
    # It lets a command go on in the background when it is stopped.
    ends_commands=False,
    manifest=("codex/node_modules/@openai/codex/package.json", "version"),
    modes={"ask": "agent-full-access", "plan": "read-only"},
    remarks=r"(?:exceeded retry limit|Warning: Model metadata for)[^\n]{0,1000}\s*",
)
