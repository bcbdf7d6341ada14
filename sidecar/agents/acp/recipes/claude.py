"""Claude Code through its ACP adapter: it starts in a mode that asks for nothing, and has a better one."""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.agents.acp.recipe import Recipe, Setting


def command(setting: Setting) -> list[str]:
    """The adapter, which brings Claude Code along."""
    package = "claude/node_modules/@agentclientprotocol/claude-agent-acp"
    return [setting.node, f"{setting.folder}/{package}/dist/index.js"]


# Otherwise it looks for its maker's own service first, which is not to be reached, and ends. What it is told
# here is what it would ask: the token is worth nothing, and the workspace is the user's.
_KNOWN = """
const { readFileSync, renameSync, writeFileSync } = require("node:fs");
const path = `${process.env.HOME}/.claude.json`;
let known = {};
try { known = JSON.parse(readFileSync(path, "utf8")); } catch {}
known.hasCompletedOnboarding = true;
const token = (process.env.ANTHROPIC_API_KEY ?? "").slice(-20);
const answers = (known.customApiKeyResponses ??= {});
answers.approved = [...new Set([...(answers.approved ?? []), token])];
((known.projects ??= {})[process.cwd()] ??= {}).hasTrustDialogAccepted = true;
writeFileSync(`${path}.new`, JSON.stringify(known));
renameSync(`${path}.new`, path);
"""
# While the adapter starts it may write over that file: then Claude Code has ended at once, and begins again.
_SCREEN = """
for attempt in 1 2 3; do
  "$1" -e "$2"
  began=$(date +%s)
  has=$(ls "$HOME"/.claude/projects/*/"$4.jsonl" 2>/dev/null)
  "$3" ${has:+--resume "$4" --fork-session}
  code=$?
  [ $code -eq 1 ] && [ $(($(date +%s) - began)) -lt 5 ] || exit $code
  sleep 1
done
exit 1
"""


def screen(setting: Setting, session: str) -> list[str]:
    """Claude Code itself, with a copy of the conversation, if there has been any."""
    package = f"claude/node_modules/@anthropic-ai/claude-agent-sdk-linux-{setting.machine}"
    words = [setting.node, _KNOWN, f"{setting.folder}/{package}/claude", session]
    return ["sh", "-c", _SCREEN, "sh", *words]


def environment(setting: Setting) -> Mapping[str, str]:
    """Its provider is the gate, and every one of its models is the one that was chosen.

    With the login of a plan it is told that it has one: the token is worth as little as any other.
    """
    is_plan = setting.context.provider.login == "claude"
    return {
        "CLAUDE_CODE_OAUTH_TOKEN" if is_plan else "ANTHROPIC_API_KEY": setting.context.token,
        "ANTHROPIC_BASE_URL": setting.gate,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": setting.model,
        "ANTHROPIC_DEFAULT_OPUS_MODEL": setting.model,
        "ANTHROPIC_DEFAULT_SONNET_MODEL": setting.model,
        "ANTHROPIC_MODEL": setting.model,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_SUBAGENT_MODEL": setting.model,
        "DISABLE_AUTOUPDATER": "1",
    }


RECIPE = Recipe(
    id="claude",
    name="Claude Code",
    command=command,
    environment=environment,
    screen=screen,
    manifest=("claude/node_modules/@anthropic-ai/claude-agent-sdk/package.json", "claudeCodeVersion"),
    modes={"ask": "default", "plan": "plan"},
    remarks=r"(?:API Error:|\*\*Warning:\*\*) .{0,4000}",
    # Without it Claude Code would have to be started so that asking could be switched off.
    session={"_meta": {"claudeCode": {"options": {"allowDangerouslySkipPermissions": False}}}},
)
