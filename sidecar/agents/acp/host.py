"""Keeps one agent program running in the box, initialised and with our session open."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from sidecar import __version__
from sidecar.agents import disk, text
from sidecar.agents.acp import calls
from sidecar.agents.acp.calls import Refused, Unreachable
from sidecar.agents.acp.conversation import Conversation
from sidecar.agents.acp.recipe import Recipe, Setting
from sidecar.agents.base import (
    AgentContext,
    AgentError,
    AgentStartFailed,
    EventQueue,
    Process,
    Screen,
)
from sidecar.agents.failures import sanitised

if TYPE_CHECKING:
    from sidecar.agents.acp.peer import Peer

log = structlog.get_logger(__name__)

STOP_SECONDS = 1.0
MAX_DETAILS = 1000

# The errors of a program would end up between its messages.
_PREPARE = """
set -u
umask 022
mkdir -p "$XDG_CONFIG_HOME" "$XDG_DATA_HOME" "$XDG_STATE_HOME/openagent" "$XDG_CACHE_HOME" || exit 1
while [ $# -ge 2 ]; do
  mkdir -p "$(dirname "$HOME/$1")" && printf %s "$2" > "$HOME/$1" || exit 1
  shift 2
done
"""
_LAST_SESSION = """
sed "1s/^/openagent-session=/;q" "$XDG_STATE_HOME/openagent/$AGENT-session" 2>/dev/null
exit 0
"""
_VERSION = """
sed -n 's/^ *"'"$FIELD"'": *"\\([^"]*\\)".*/openagent-version=\\1/p' "$MANIFEST" 2>/dev/null
"""
_REMEMBER = 'printf "%s\\n" "$SESSION" > "$XDG_STATE_HOME/openagent/$AGENT-session"'
_RUN = 'exec "$@" 2>"$XDG_STATE_HOME/openagent/$AGENT-errors"'
_LAST_WORDS = 'tail -c 2000 "$XDG_STATE_HOME/openagent/$AGENT-errors" 2>/dev/null | tail -n 3; exit 0'

_CAPABILITIES = {
    "fs": {"readTextFile": False, "writeTextFile": False},
    "terminal": False,
    "elicitation": {"form": {}},
    # Claude Code and Codex tell a command's output in this way only.
    "_meta": {"terminal_output": True},
}


@dataclass(frozen=True)
class _Life:
    """One program from its start to its end."""

    process: Process
    peer: Peer
    watch: asyncio.Task[None]


class Host:
    """`gone` is called with the reason when the program ends that nobody ended here."""

    def __init__(
        self,
        context: AgentContext,
        recipe: Recipe,
        folder: str,
        *,
        conversation: Conversation,
        queue: EventQueue,
        gone: Callable[[str], None],
    ) -> None:
        self.version = ""
        self.resumed = False
        self.remembers = False
        """Whether the program, started again, can take up the session that is open now."""
        self.models: list[str] = []
        self.model = context.model
        self._context = context
        self._recipe = recipe
        self._folder = folder
        self._conversation = conversation
        self._queue = queue
        self._gone = gone
        self._life: _Life | None = None
        self._remembered = ""
        self._mode = ""

    @property
    def peer(self) -> Peer | None:
        """Calls of the running program, None while there is none."""
        return self._life.peer if self._life else None

    async def start(self, model: str) -> None:
        """Bring the program up for `model`, in place of one that runs. AgentStartFailed, or OSError."""
        await self.stop()
        self.model = model
        login = await self._context.login() if self._context.login else ""
        setting = Setting(context=self._context, model=model, folder=self._folder, login=login)
        files = [word for pair in self._recipe.files(setting).items() for word in pair]
        env = {}
        script = _PREPARE + self._recipe.before + disk.REPOSITORY
        if self._recipe.manifest is not None:
            path, env["FIELD"] = self._recipe.manifest
            env["MANIFEST"] = f"{self._folder}/{path}"
            script += _VERSION
        said = await disk.run(self._context, script + _LAST_SESSION, self._env(env), files)
        self._remembered = _told("session", said)
        self.version = _told("version", said)
        command = ["sh", "-c", _RUN, "sh", *self._recipe.command(setting)]
        env = self._env({**self._recipe.environment(setting)})
        process = await self._context.box.exec(command, env=env, cwd=self._context.workspace)
        await self._take_up(process)

    async def set_mode(self, mode: str) -> None:
        """Let the agent work in its own mode for ours, if it has one. Unreachable when it is gone."""
        wanted = self._recipe.modes.get(mode, self._recipe.modes.get("ask", ""))
        if not wanted or wanted == self._mode or self._life is None:
            return
        params = {"sessionId": self._conversation.session, "modeId": wanted}
        await self._life.peer.call(calls.SET_MODE, params, self._context.start_seconds)
        self._mode = wanted

    def screen(self, model: str) -> Screen:
        """The agent's own interface, with the files that it needs. AgentError when it has none."""
        if self._recipe.screen is None:
            raise AgentError(f"{self._recipe.name} has no interface of its own for a terminal.")
        setting = Setting(context=self._context, model=model, folder=self._folder)
        argv = self._recipe.screen(setting, self._conversation.session)
        return Screen(argv=argv, env=self._env({**self._recipe.environment(setting)}))

    async def stop(self, *, at_once: bool = False) -> None:
        """End the program; `gone` is not called."""
        life, self._life = self._life, None
        if life is None:
            return
        life.watch.cancel()
        await _end(life.process, at_once=at_once)
        await life.peer.close()

    async def last_words(self) -> str:
        """What the program said at its end."""
        try:
            return sanitised((await disk.run(self._context, _LAST_WORDS, self._env({}))).strip())
        except (AgentStartFailed, OSError):
            return ""

    async def _take_up(self, process: Process) -> None:
        # The program comes up while the library is read.
        peer_class = await asyncio.to_thread(load)
        peer = peer_class(
            process,
            on_update=self._conversation.handle,
            on_request=self._conversation.answer,
            room=self._queue.room,
        )
        self._life = _Life(process, peer, asyncio.create_task(self._await_end(process)))
        self._mode = ""
        opening = asyncio.create_task(self._open(peer))
        ended = asyncio.create_task(process.wait())
        try:
            async with asyncio.timeout(self._context.start_seconds):
                await asyncio.wait((opening, ended), return_when=asyncio.FIRST_COMPLETED)
                if not opening.done():
                    code = await ended
                    said = await self.last_words()
                    raise AgentStartFailed(f"{self._recipe.name} ended with code {code}. {said}".strip())
                await opening
        except TimeoutError as error:
            await self.stop(at_once=True)
            raise AgentStartFailed(f"{self._recipe.name} did not come up in time.") from error
        except (Unreachable, Refused) as error:
            said = f"{error} {await self.last_words()}".strip()
            await self.stop(at_once=True)
            raise AgentStartFailed(f"{self._recipe.name} started and then failed: {said}") from error
        except BaseException:
            await self.stop(at_once=True)
            raise
        finally:
            opening.cancel()
            ended.cancel()

    async def _open(self, peer: Peer) -> None:
        seconds = self._context.start_seconds
        greeting = {
            "protocolVersion": calls.PROTOCOL_VERSION,
            "clientCapabilities": _CAPABILITIES,
            "clientInfo": {"name": "openagent", "title": "OpenAgent", "version": __version__},
        }
        offer = await peer.call(calls.INITIALIZE, greeting, seconds)
        self.version = self.version or text.line(text.mapping(offer.get("agentInfo")).get("version"), 40)
        if self._recipe.authenticate:
            await peer.call(calls.AUTHENTICATE, {"methodId": self._recipe.authenticate}, seconds)
        place = {"cwd": self._context.workspace, "mcpServers": [], **self._recipe.session}
        opened = await self._resume(peer, offer, place)
        if opened is None:
            opened = await peer.call(calls.NEW, place, seconds)
            self._conversation.session = text.clean(opened.get("sessionId"))
            env = self._env({"SESSION": text.line(self._conversation.session)})
            with contextlib.suppress(AgentStartFailed):
                await disk.run(self._context, _REMEMBER, env)
        self.models = _models(opened)

    async def _resume(
        self, peer: Peer, offer: dict[str, Any], place: dict[str, Any]
    ) -> dict[str, Any] | None:
        """What the agent says of the session of last time, None when it has none or cannot take it up."""
        able = text.mapping(offer.get("agentCapabilities"))
        has_resume = isinstance(text.mapping(able.get("sessionCapabilities")).get("resume"), dict)
        self.remembers = has_resume or able.get("loadSession") is True
        if not self._remembered or not self.remembers:
            return None
        method = calls.RESUME if has_resume else calls.LOAD
        self._conversation.session = self._remembered
        params = {**place, "sessionId": self._remembered}
        try:
            opened = await peer.call(method, params, self._context.start_seconds)
        except Refused as error:
            details = text.clip(text.mapping(error.data).get("details"), MAX_DETAILS)
            reason = sanitised(f"{error.said} {details}".strip())
            log.warning("acp.not_resumed", agent=self._recipe.id, code=error.code, reason=reason)
            return None
        self.resumed = True
        return opened

    async def _await_end(self, process: Process) -> None:
        try:
            code = await process.wait()
            reason = f"It was ended by signal {-code}." if code < 0 else f"It ended with code {code}."
        except OSError as error:
            reason = sanitised(str(error))
        life = self._life
        if life is None or life.process is not process:
            return
        self._life = None
        log.warning("acp.ended", agent=self._recipe.id, reason=reason)
        self._gone(reason)
        await life.peer.close()

    def _env(self, more: dict[str, str]) -> dict[str, str]:
        return {**disk.directories(self._context), "AGENT": self._recipe.id, **more}


def _told(what: str, said: str) -> str:
    """What a script of ours told; other programs in it may say something too, git for example."""
    mark = f"openagent-{what}="
    found = (line.removeprefix(mark) for line in said.splitlines() if line.startswith(mark))
    return text.line(next(found, ""), 200)


def load() -> type[Peer]:
    """The connection's class. The first call takes seconds, so it belongs into a thread."""
    from sidecar.agents.acp.peer import Peer

    return Peer


def _models(opened: dict[str, Any]) -> list[str]:
    """The models that a session offers, as options of its configuration."""
    for option in map(text.mapping, text.items(opened.get("configOptions"))):
        if option.get("category") == "model" or option.get("id") == "model":
            choices = [text.mapping(choice) for choice in text.items(option.get("options"), 200)]
            return [value for choice in choices if (value := text.line(choice.get("value")))]
    return []


async def _end(process: Process, *, at_once: bool) -> None:
    for number in (signal.SIGKILL,) if at_once else (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(TimeoutError, OSError):
            await process.kill(number)
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
            break
