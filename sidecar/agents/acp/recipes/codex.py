"""Codex through its ACP adapter: its provider is a matter of a file, and it wants a sandbox of its own.

That sandbox needs namespaces, which the box does not let it make: the box is the sandbox. So it gets a
profile of permissions that needs none, and rules that let it ask: in its own mode without a sandbox it asks
for nothing, and in those with one it can only read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sidecar.agents.acp.recipe import Recipe, Setting

TOKEN = "OPENAGENT_GATE_TOKEN"

_SCREEN = """
has=$(find "$CODEX_HOME/sessions" -name "*$2*" 2>/dev/null)
exec "$1" ${has:+fork "$2"}
"""
_PROFILE = "openagent"
_PERMISSIONS = f"""
[permissions.{_PROFILE}]
description = "Everything in the box; asks before commands that may change something."
[permissions.{_PROFILE}.filesystem]
":root" = "write"
[permissions.{_PROFILE}.network]
enabled = true
"""
_CHANGING = """
bash dash sh zsh env eval exec nohup setsid sudo su timeout xargs chmod chown cp dd install kill killall ln
mkdir mkfifo mktemp mount mv patch perl pkill rm rmdir rsync sed shred tar tee touch truncate umount unlink
unzip zip awk gawk curl ftp nc scp sftp ssh wget gh git glab hg svn apt apt-get brew dpkg apk dnf yum pip
pip3 pipx poetry uv uvx conda python python3 pytest tox bun deno node npm npx pnpm tsx yarn bundle gem rake
ruby cargo rustc go java javac gradle mvn dotnet php composer swift cc clang cmake g++ gcc make ninja docker
kubectl podman psql mysql redis-cli sqlite3 systemctl crontab
"""
"""Programs that change something, or run others that do. A command that is more than programs and their
words, one that writes to a file for example, counts as its shell's. What Codex itself holds for dangerous
it asks anyway."""
_RULES = f"""prefix_rule(
    pattern = [{json.dumps(_CHANGING.split())}],
    decision = "prompt",
    justification = "It may change something.",
)
"""


def command(setting: Setting) -> list[str]:
    """The adapter, which brings Codex along."""
    return [setting.node, f"{setting.folder}/codex/node_modules/@agentclientprotocol/codex-acp/dist/index.js"]


def screen(setting: Setting, session: str) -> list[str]:
    """Codex itself, with a copy of the conversation, if there has been any."""
    package = f"@openai/codex-linux-{setting.machine}/vendor"
    triple = f"{'aarch64' if setting.machine == 'arm64' else 'x86_64'}-unknown-linux-musl"
    program = f"{setting.folder}/codex/node_modules/{package}/{triple}/bin/codex"
    return ["sh", "-c", _SCREEN, "sh", program, session]


def environment(setting: Setting) -> Mapping[str, str]:
    """Where its file is, and the token that the file names."""
    return {"CODEX_HOME": f"{setting.context.home}/.codex", TOKEN: setting.context.token}


def files(setting: Setting) -> Mapping[str, str]:
    """Its provider is the gate, and what it asks."""
    silence = int(setting.context.silence_seconds * 1000)
    lines = [
        f"model = {json.dumps(setting.model)}",
        'model_provider = "openagent"',
        "check_for_update_on_startup = false",
        "suppress_unstable_features_warning = true",
        'approval_policy = "on-request"',
        f'default_permissions = "{_PROFILE}"',
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
        _PERMISSIONS,
    ]
    return {".codex/config.toml": "\n".join(lines), ".codex/rules/openagent.rules": _RULES}


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
    modes={"ask": f"permission-profile:{_PROFILE}", "plan": "read-only"},
    remarks=r"(?:exceeded retry limit|Warning: Model metadata for)[^\n]{0,1000}\s*",
)
