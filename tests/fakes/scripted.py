"""An agent that behaves as badly as its prompt says: one action per line.

`tests.fakes.agent` keeps every promise of an agent; this one is for testing what happens when one does not.

say WORDS...        a message, word by word
stream COUNT MS     COUNT pieces of text, one every MS milliseconds
think WORDS...      a thought
tool NAME           a tool call that begins, writes and completes
ask TITLE           a permission, and what was answered
flood COUNT         COUNT changed files at once
error CLASS WORDS   a failure that ends the turn
wait                until it is cancelled
hang                for ever, deaf to cancelling
crash REASON        the agent ends
nonsense            events that no agent may send, or with data that does not fit
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import get_args

from sidecar.agents import base
from sidecar.protocol import frames, messages


class ScriptedAgent(base.Agent):
    """An agent without a process. What it was told is kept for the test to look at."""

    id = "scripted"
    name = "Scripted"

    def __init__(self, *, start_error: str = "", resumed: bool = False) -> None:
        self.context: base.AgentContext | None = None
        self.prompts: list[str] = []
        self.answers: list[frames.PermissionAnswer] = []
        self.configured: list[tuple[str, str]] = []
        self.rests = 0
        self.is_closed = False
        self._start_error = start_error
        self._resumed = resumed
        self._queue = base.EventQueue()
        self._exit_reason = ""
        self._turn: str | None = None
        self._parts = 0
        self._playing: asyncio.Task[None] | None = None
        self._is_deaf = False
        self._asked: dict[str, asyncio.Future[frames.PermissionAnswer]] = {}

    @property
    def resumed(self) -> bool:
        return self._resumed

    @property
    def exit_reason(self) -> str:
        return self._exit_reason

    async def start(self, context: base.AgentContext) -> messages.AgentInfo:
        self.context = context
        if self._start_error:
            raise base.AgentStartFailed(self._start_error)
        self._tell_config(context.model, context.mode)
        return messages.AgentInfo(id=self.id, name=self.name, version="1.0")

    async def prompt(self, turn: str, text: str, *, model: str = "", mode: str = "") -> None:
        if self._turn is not None:
            raise base.TurnOpen("A turn is open.")
        self.prompts.append(text)
        self._turn = turn
        self._playing = asyncio.create_task(self._play(turn, text))

    async def cancel(self, turn: str) -> None:
        if turn == self._turn and self._playing and not self._is_deaf:
            self._playing.cancel()
            self._end("cancelled")

    async def answer(self, answer: frames.PermissionAnswer) -> None:
        waiting = self._asked.pop(answer.permission_id, None)
        if waiting is None:
            raise base.UnknownPermission("Nobody waits for this.")
        self.answers.append(answer)
        waiting.set_result(answer)

    async def configure(self, *, model: str = "", mode: str = "") -> None:
        if mode == "impossible":
            raise base.AgentError("There is no such mode.")
        self.configured.append((model, mode))
        self._tell_config(model, mode)

    async def rest(self) -> None:
        if self._turn is not None:
            raise base.TurnOpen("A turn is open.")
        self.rests += 1
        self.emit("agent.status", messages.AgentStatus(status="stopped"))

    def events(self) -> AsyncIterator[base.AgentEvent]:
        return self._queue.read()

    async def close(self) -> None:
        self.is_closed = True
        if self._playing:
            self._playing.cancel()
        self._queue.end()

    def emit(self, kind: str, data: messages.Data) -> None:
        """Say something within the open turn, if any."""
        self._queue.put(base.AgentEvent(kind=kind, data=data, turn=self._turn))

    def reply_from_the_box(self, permission_id: str) -> None:
        """Somebody in the box answered instead of a person."""
        self._asked.pop(permission_id)
        answered = messages.PermissionAnswered(permission_id=permission_id, choice="once", by="box")
        self.emit("permission.answered", answered)

    def _tell_config(self, model: str, mode: str) -> None:
        self.emit("agent.config", messages.AgentConfig(model=model, mode=mode))

    async def _play(self, turn: str, script: str) -> None:
        for line in script.splitlines():
            verb, _, rest = line.strip().partition(" ")
            await self._verbs[verb](rest)
            if self._turn != turn:
                return
        self._end("end_turn")

    @property
    def _verbs(self) -> dict[str, Callable[[str], Awaitable[None]]]:
        return {
            name: getattr(self, f"_{name}")
            for name in (
                *("say", "stream", "bulk", "think", "tool", "ask", "flood"),
                *("error", "wait", "hang", "crash", "nonsense"),
            )
        }

    def _end(self, stop_reason: messages.StopReason, error: messages.ErrorData | None = None) -> None:
        self.emit("turn.ended", messages.TurnEnded(stop_reason=stop_reason, error=error))
        self._turn = None
        self._asked.clear()

    async def _text(self, kind: str, pieces: list[str], seconds: float = 0.0) -> None:
        self._parts += 1
        part, offset = f"part-{self._parts}", 0
        for piece in pieces:
            delta = messages.TextDelta(part_id=part, offset=offset, text=piece)
            self.emit(f"{kind}.delta", delta)
            offset += len(piece)
            await self._queue.room()
            await asyncio.sleep(seconds)
        self.emit(f"{kind}.done", messages.TextDone(part_id=part, length=offset))

    async def _say(self, words: str) -> None:
        await self._text("message", [f"{word} " for word in words.split()])

    async def _think(self, words: str) -> None:
        await self._text("thought", [f"{word} " for word in words.split()])

    async def _stream(self, parameters: str) -> None:
        count, milliseconds = parameters.split()
        await self._text("message", [f"[{n}]" for n in range(int(count))], int(milliseconds) / 1000)

    async def _bulk(self, parameters: str) -> None:
        count, size = map(int, parameters.split())
        for _ in range(count):
            await self._text("message", ["b" * size])

    async def _tool(self, name: str) -> None:
        tool_call_id = f"call-{uuid.uuid4().hex[:8]}"
        begin = messages.ToolUpsert(tool_call_id=tool_call_id, name=name, status="in_progress")
        self.emit("tool.upsert", begin)
        self.emit("tool.output", messages.ToolOutput(tool_call_id=tool_call_id, offset=0, text="done\n"))
        self.emit("tool.upsert", messages.ToolUpsert(tool_call_id=tool_call_id, status="completed"))

    async def _ask(self, title: str) -> None:
        permission_id = str(uuid.uuid4())
        waiting = self._asked[permission_id] = asyncio.get_running_loop().create_future()
        asked = messages.PermissionAsked(permission_id=permission_id, type="tool", title=title)
        self.emit("permission.asked", asked)
        answer = await waiting
        await self._say(f"answered {answer.choice}")

    async def _flood(self, count: str) -> None:
        for number in range(int(count)):
            self.emit("file.changed", messages.FileChanged(path=f"file-{number}"))
            await self._queue.room()

    async def _error(self, words: str) -> None:
        name, _, message = words.partition(" ")
        error_class = next(each for each in get_args(messages.ErrorClass) if each == name)
        failure = messages.ErrorData(error_class=error_class, message=message)
        self.emit("error", failure)
        self._end("error", failure)

    async def _wait(self, _: str) -> None:
        await asyncio.Event().wait()

    async def _hang(self, _: str) -> None:
        self._is_deaf = True
        await asyncio.Event().wait()

    async def _crash(self, reason: str) -> None:
        self._exit_reason = reason
        self._queue.end()
        await asyncio.Event().wait()

    async def _nonsense(self, _: str) -> None:
        usage = messages.Usage(request_id="r", provider="p", model="m", input=1, output=1)
        self.emit("usage", usage)
        self.emit("turn.started", messages.TurnStarted(prompt="mine"))
        self.emit("message.shouted", messages.Plan(entries=[]))
        self.emit("plan", messages.Plan(entries="many"))  # type: ignore[arg-type]
        answered = messages.PermissionAnswered(permission_id=str(uuid.uuid4()), choice="once", by="user")
        self.emit("permission.answered", answered)
        unaskable = messages.PermissionAsked(permission_id="no uuid", type="tool", title="x")
        self._asked["no uuid"] = asyncio.get_running_loop().create_future()
        self.emit("permission.asked", unaskable)
        stray = messages.TextDelta(part_id="stray", offset=0, text="of another turn")
        self._queue.put(base.AgentEvent(kind="message.delta", data=stray, turn=str(uuid.uuid4())))
