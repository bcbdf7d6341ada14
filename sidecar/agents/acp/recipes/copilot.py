"""GitHub Copilot CLI with a model of the user's own: no login, no call to GitHub; or with its own login.

That one works against GitHub's own addresses only, so the token is in the environment of the program, and of
nothing else: no file has it, and it is gone when the program ends.
"""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.agents.acp.recipe import Recipe, Setting
from sidecar.protocol.upstream import enters_box

_TYPES = {"openai-chat": "openai", "openai-responses": "openai", "anthropic": "anthropic"}


def command(setting: Setting) -> list[str]:
    """The native program."""
    return [_program(setting), "--acp", "--model", setting.model]


def screen(setting: Setting, session: str) -> list[str]:
    """The same program with its own interface; a conversation can be open in one of them only."""
    return [_program(setting), "--model", setting.model]


def _program(setting: Setting) -> str:
    return f"{setting.folder}/copilot/node_modules/@github/copilot-linux-{setting.machine}/copilot"


def environment(setting: Setting) -> Mapping[str, str]:
    """Its provider is the gate; with its own login it is GitHub, which it finds by the proxy of the box."""
    if enters_box(setting.context.provider):
        return {
            "COPILOT_AUTO_UPDATE": "false",
            "COPILOT_GITHUB_TOKEN": setting.login,
            "COPILOT_HOME": f"{setting.context.home}/.copilot",
            "COPILOT_MODEL": setting.model,
        }
    wire = setting.context.provider.wire
    return {
        "COPILOT_AUTO_UPDATE": "false",
        "COPILOT_HOME": f"{setting.context.home}/.copilot",
        "COPILOT_MODEL": setting.model,
        "COPILOT_OFFLINE": "true",
        "COPILOT_PROVIDER_API_KEY": setting.context.token,
        "COPILOT_PROVIDER_BASE_URL": setting.gate if wire == "anthropic" else f"{setting.gate}/v1",
        "COPILOT_PROVIDER_TYPE": _TYPES.get(wire, "openai"),
        "COPILOT_PROVIDER_WIRE_API": "responses" if wire == "openai-responses" else "completions",
    }


RECIPE = Recipe(
    id="copilot",
    name="GitHub Copilot CLI",
    command=command,
    environment=environment,
    screen=screen,
    remarks=r"(?:Info|Error): .{0,4000}",
)
