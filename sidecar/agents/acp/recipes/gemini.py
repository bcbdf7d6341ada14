"""Gemini CLI in its ACP mode: it wants to be told how it signs in."""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.agents.acp.recipe import Recipe, Setting


def command(setting: Setting) -> list[str]:
    """The program; the workspace is the user's, so it is trusted."""
    program = f"{setting.folder}/gemini/node_modules/@google/gemini-cli/bundle/gemini.js"
    return [setting.node, program, "--acp", "--skip-trust"]


def environment(setting: Setting) -> Mapping[str, str]:
    """Its provider is the gate; without a second process of itself it takes 100 MB less."""
    return {
        "GEMINI_API_KEY": setting.context.token,
        "GEMINI_CLI_NO_RELAUNCH": "true",
        "GEMINI_MODEL": setting.model,
        "GEMINI_TELEMETRY_ENABLED": "false",
        "GOOGLE_GEMINI_BASE_URL": setting.gate,
    }


RECIPE = Recipe(
    id="gemini",
    name="Gemini CLI",
    command=command,
    environment=environment,
    modes={"ask": "default", "plan": "plan"},
    authenticate="gemini-api-key",
    remarks=r"\[current working directory .{0,4000}",
)
