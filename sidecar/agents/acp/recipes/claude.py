"""Claude Code through its ACP adapter: it starts in a mode that asks for nothing, and has a better one."""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.agents.acp.recipe import Recipe, Setting


def command(setting: Setting) -> list[str]:
    """The adapter, which brings Claude Code along."""
    package = "claude/node_modules/@agentclientprotocol/claude-agent-acp"
    return [setting.node, f"{setting.folder}/{package}/dist/index.js"]


def environment(setting: Setting) -> Mapping[str, str]:
    """Its provider is the gate, and every one of its models is the one that was chosen."""
    return {
        "ANTHROPIC_API_KEY": setting.context.token,
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
    modes={"ask": "default", "plan": "plan"},
    remarks=r"(?:API Error:|\*\*Warning:\*\*) .{0,4000}",
    # Without it Claude Code would have to be started so that asking could be switched off.
    session={"_meta": {"claudeCode": {"options": {"allowDangerouslySkipPermissions": False}}}},
)
