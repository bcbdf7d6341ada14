"""Small shell scripts that make a session's disk ready in the box before its agent starts."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence

from sidecar.agents.base import AgentContext, AgentStartFailed
from sidecar.agents.failures import sanitised

SCRIPT_SECONDS = 30.0
MAX_SCRIPT_OUTPUT = 64 * 1024

REPOSITORY = """
if ! git rev-parse --git-dir >/dev/null 2>&1; then
  git init -q -b main . && git config user.name OpenAgent && git config user.email openagent@localhost
fi
if ! git rev-parse -q --verify HEAD >/dev/null 2>&1; then
  git -c user.name=OpenAgent -c user.email=openagent@localhost -c commit.gpgsign=false \\
    commit -q --allow-empty -m "Empty workspace" >/dev/null 2>&1
fi
"""
"""Makes the workspace a repository with a commit, where it is none."""


def directories(context: AgentContext) -> dict[str, str]:
    """Where programs keep their state: on the session's own disk."""
    home = context.home
    return {
        "HOME": home,
        "XDG_CACHE_HOME": f"{home}/.cache",
        "XDG_CONFIG_HOME": f"{home}/.config",
        "XDG_DATA_HOME": f"{home}/.local/share",
        "XDG_STATE_HOME": f"{home}/.local/state",
    }


async def run(
    context: AgentContext, script: str, env: Mapping[str, str], arguments: Sequence[str] = ()
) -> str:
    """What `script` prints. AgentStartFailed when it fails or takes long, OSError when the box is gone."""
    process = await context.box.exec(["sh", "-c", script, "sh", *arguments], env=env, cwd=context.workspace)
    output = bytearray()
    try:
        async with asyncio.timeout(SCRIPT_SECONDS):
            while len(output) < MAX_SCRIPT_OUTPUT and (piece := await process.stream.read(4096)):
                output += piece
            code = await process.wait()
    except TimeoutError as error:
        await process.kill(signal.SIGKILL)
        raise AgentStartFailed("The workspace could not be made ready in time.") from error
    said = output.decode("utf-8", "replace")
    if code != 0:
        raise AgentStartFailed(f"The workspace could not be made ready: {sanitised(said)}")
    return said
