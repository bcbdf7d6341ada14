"""The OpenCode server as a process in the box: its disk made ready, started, probed, ended."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import signal
from dataclasses import dataclass

from sidecar.agents import disk, text
from sidecar.agents.base import AgentContext, AgentStartFailed, Process
from sidecar.agents.failures import sanitised
from sidecar.agents.opencode import config
from sidecar.agents.opencode.client import Client, Refused, Unreachable

PROBE_SECONDS = 1.0
LONGEST_PROBE_SECONDS = 16.0
PROBE_PAUSE_SECONDS = 0.1
STOP_SECONDS = 1.0
PORTS = 3
TAIL_BYTES = 4096

# What OpenCode would download into its configuration folder is linked there from the read-only installation.
# The workspace becomes a repository: what it writes can be compared. The remembered session comes last.
_PREPARE = """
set -u
umask 022
mkdir -p "$XDG_CONFIG_HOME/opencode" "$XDG_DATA_HOME" "$XDG_STATE_HOME/openagent" "$XDG_CACHE_HOME" || exit 1
if [ -d "$INSTALLATION/node_modules" ]; then
  for name in node_modules package.json package-lock.json; do
    link="$XDG_CONFIG_HOME/opencode/$name"
    if [ -L "$link" ] || [ ! -e "$link" ]; then ln -sfn "$INSTALLATION/$name" "$link"; fi
  done
fi
[ -s "$NO_MODELS" ] || printf '{}' > "$NO_MODELS"
"""
_LAST_SESSION = """
cat "$XDG_STATE_HOME/openagent/opencode-session" 2>/dev/null
exit 0
"""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_REMEMBER = 'printf "%s\\n" "$SESSION" > "$XDG_STATE_HOME/openagent/opencode-session"'


@dataclass(frozen=True, kw_only=True)
class Installation:
    """Where OpenCode is in the box, and the first port that it tries."""

    folder: str = "/opt/agents/opencode"
    port: int = 4096

    @property
    def program(self) -> str:
        return f"{self.folder}/bin/opencode"


async def prepare(context: AgentContext, installation: Installation) -> str:
    """Make home and workspace ready. The id of the session that was in use last, empty if there was none."""
    env = {
        **disk.directories(context),
        "INSTALLATION": installation.folder,
        "NO_MODELS": config.no_models(context),
    }
    said = await disk.run(context, _PREPARE + disk.REPOSITORY + _LAST_SESSION, env)
    lines = said.strip().splitlines()
    return text.line(lines[-1]) if lines else ""


async def remember(context: AgentContext, session: str) -> None:
    """Keep the session's id on the disk for the next instance."""
    await disk.run(context, _REMEMBER, {**disk.directories(context), "SESSION": session})


class Server:
    """One running server. Its password keeps other users of the box out, not its root."""

    def __init__(
        self, process: Process, client: Client, version: str, drain: asyncio.Task[str], *, password: str
    ) -> None:
        self.client = client
        self.version = version
        self.password = password
        self._process = process
        self._drain = drain

    @classmethod
    async def start(cls, context: AgentContext, installation: Installation, models: frozenset[str]) -> Server:
        """A server that answers. AgentStartFailed when none comes up; OSError when the box is gone."""
        said = ""
        for port in range(installation.port, installation.port + PORTS):
            try:
                return await cls._start(context, installation, models, port)
            except _EndedAtOnce as ended:
                # It does not say why. Most likely something else listens on the port.
                said = str(ended)
        raise AgentStartFailed(f"OpenCode ended while it started: {said}")

    @classmethod
    async def _start(
        cls, context: AgentContext, installation: Installation, models: frozenset[str], port: int
    ) -> Server:
        password = secrets.token_urlsafe(24)
        argv = [installation.program, "serve", "--port", str(port), "--hostname", "127.0.0.1"]
        env = config.environment(context, password, models)
        process = await context.box.exec(argv, env=env, cwd=context.workspace)
        drain = asyncio.create_task(_tail(process.stream))
        client = Client(context.box, port, password)
        exited = asyncio.create_task(process.wait())
        try:
            async with asyncio.timeout(context.start_seconds):
                version = await _healthy(client, exited)
        except TimeoutError as error:
            await _end(process, drain)
            raise AgentStartFailed("OpenCode did not come up in time.") from error
        except BaseException:
            await _end(process, drain)
            raise
        finally:
            exited.cancel()
        if version is None:
            raise _EndedAtOnce(sanitised(await _last_words(drain)))
        return cls(process, client, version, drain, password=password)

    async def ended(self) -> str:
        """Wait until the process has ended; what is known of the reason."""
        try:
            code = await self._process.wait()
        except OSError as error:
            return sanitised(str(error))
        if code < 0:
            return f"It was ended by signal {-code}."
        return f"It ended with code {code}. {sanitised(await _last_words(self._drain))}".strip()

    async def stop(self) -> None:
        """End the process: asked first, then killed."""
        await _end(self._process, self._drain)

    async def kill(self) -> None:
        """End the process at once."""
        await self._process.kill(signal.SIGKILL)


class _EndedAtOnce(Exception):
    """The program ended before it answered; the message is its last words."""


async def _healthy(client: Client, exited: asyncio.Task[int]) -> str | None:
    """The version once the server answers, None when the process ends before."""
    patience, now = PROBE_SECONDS, asyncio.get_running_loop().time
    while not exited.done():
        # While it boots it may accept a request and never answer it: so briefly, on a new connection. On a
        # busy machine no answer comes so soon: each that is waited for in vain is followed by a longer wait.
        asked_at = now()
        with contextlib.suppress(Unreachable, Refused):
            health = text.mapping(await client.get("/global/health", seconds=patience))
            if health.get("healthy") is True:
                return text.line(health.get("version"), 40)
        if now() - asked_at >= patience:
            patience = min(2 * patience, LONGEST_PROBE_SECONDS)
        await asyncio.wait([exited], timeout=PROBE_PAUSE_SECONDS)
    exited.exception()
    return None


async def _tail(stream: asyncio.StreamReader) -> str:
    """Read all output, so that the program never waits for a reader; the end of it."""
    kept = b""
    with contextlib.suppress(OSError):
        while piece := await stream.read(64 * 1024):
            kept = (kept + piece)[-TAIL_BYTES:]
    return kept.decode("utf-8", "replace")


async def _last_words(drain: asyncio.Task[str]) -> str:
    # Children of the program may hold its output open: not worth waiting for.
    done, _ = await asyncio.wait([drain], timeout=1.0)
    lines = [line.strip() for line in _COLOUR.sub("", drain.result()).splitlines()] if done else []
    return " ".join([line for line in lines if line][-2:])


async def _end(process: Process, drain: asyncio.Task[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        await process.kill(number)
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
            break
    drain.cancel()
    await asyncio.wait([drain])
