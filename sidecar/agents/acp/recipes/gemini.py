"""Gemini CLI in its ACP mode: it wants to be told how it signs in."""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.agents.acp.recipe import Recipe, Setting


def command(setting: Setting) -> list[str]:
    """The program; the workspace is the user's, so it is trusted."""
    return [setting.node, _program(setting), "--acp", "--skip-trust"]


def screen(setting: Setting, session: str) -> list[str]:
    """The same program with its own interface, and with a conversation of its own."""
    return [setting.node, _program(setting), "--skip-trust"]


def _program(setting: Setting) -> str:
    return f"{setting.folder}/gemini/node_modules/@google/gemini-cli/bundle/gemini.js"


def environment(setting: Setting) -> Mapping[str, str]:
    """Its provider is the gate; without a second process of itself it takes 100 MB less."""
    return {
        "GEMINI_API_KEY": setting.context.token,
        "GEMINI_CLI_NO_RELAUNCH": "true",
        "GEMINI_MODEL": setting.model,
        "GEMINI_TELEMETRY_ENABLED": "false",
        "GOOGLE_GEMINI_BASE_URL": setting.gate,
    }


# It names the file of a conversation by the minute of its start, and begins one before it takes up another:
# within that minute it would write over the one that it is to take up. It finds that by what is in it.
# Of itself it deletes conversations after a month, and at the second wake-up also the one that it is to take
# up: at the first it leaves an empty one that is named alike. What a user has set there counts. And it would
# tell its maker of each start, and not be ready while a person is asked for that host.
_BEFORE = """
kept='"general": {"sessionRetention": {"enabled": false}}, "privacy": {"usageStatisticsEnabled": false}'
settings="$HOME/.gemini/settings.json"
if ! [ -s "$settings" ]; then
  mkdir -p "$HOME/.gemini" && printf '{%s}\n' "$kept" > "$settings"
elif ! grep -q sessionRetention "$settings"; then
  sed -i "1s/^{$/{ $kept,/" "$settings"
fi
for chat in "$HOME"/.gemini/tmp/*/chats/session-2*; do
  if [ -e "$chat" ]; then mv -n "$chat" "${chat%/*}/session-earlier-${chat##*/session-}"; fi
done
"""

RECIPE = Recipe(
    id="gemini",
    name="Gemini CLI",
    command=command,
    environment=environment,
    screen=screen,
    before=_BEFORE,
    modes={"ask": "default", "plan": "plan"},
    authenticate="gemini-api-key",
    remarks=r"\[current working directory .{0,4000}",
)
