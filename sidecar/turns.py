"""The turns of one session: a prompt begins one, the agent's events belong to it, and it ends exactly once.

What an order means is journaled before the agent hears of it, and no later order waits for the disk. What the
agent says about a turn that is not open, or a permission that nobody asked for, is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec

from sidecar import log
from sidecar.agents.base import Agent, AgentError, AgentEvent, UnknownPermission
from sidecar.dispatch import Refusal
from sidecar.outbox import Outbox
from sidecar.protocol import frames, messages

KEPT_TURNS = 1000

_FROM_AGENTS = frozenset(messages.KINDS) - {
    *("instance.started", "instance.stopped", "instance.lost"),
    *("turn.started", "usage", "events.suppressed"),
}

_log = log.get(__name__)


class Turns:
    """One agent and its turns. `follow` reads the agent's events for as long as it has any."""

    def __init__(
        self,
        agent: Agent,
        outbox: Outbox,
        *,
        cancel_seconds: float,
        box_lost: asyncio.Event,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        on_hang: Callable[[], None],
        others_waiting: Callable[[], int] = lambda: 0,
        is_shown: Callable[[], bool] = lambda: False,
        look_first: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(0),
    ) -> None:
        self.open: str | None = None
        self._agent = agent
        self._outbox = outbox
        self._cancel_seconds = cancel_seconds
        self._box_lost = box_lost
        self._spawn = spawn
        self._on_hang = on_hang
        self._others_waiting = others_waiting
        self._is_shown = is_shown
        self._look_first = look_first
        self._ended: dict[str, None] = {}
        self._pending: dict[str, str | None] = {}
        self._prompting: asyncio.Task[None] | None = None
        self._is_given = False
        self._failure: messages.ErrorData | None = None
        self._is_stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def waiting(self) -> int:
        """How many permissions of the agent wait for a person."""
        return len(self._pending)

    async def start(self, order: frames.TurnStart) -> None:
        """Begin a turn: journaled, then given to the agent. Refusal when one is open, or this one was."""
        if self.open is not None or self._is_stopping:
            raise Refusal("turn_open" if self.open is not None else "stopping")
        if order.turn in self._ended:
            raise Refusal("turn_repeated")
        self.open = order.turn
        self._failure = None
        self._idle.clear()
        log.bind(turn_id=order.turn, **({"request_id": order.request} if order.request else {}))
        _log.info("turn begun")
        started = messages.TurnStarted(prompt=order.text, by=order.by, model=order.model)
        self._outbox.emit("turn.started", started, turn=order.turn)
        # A task of its own, so that the next order, which may be to cancel, is heard.
        self._is_given = False
        self._prompting = self._spawn(self._prompt(order))

    async def cancel(self, order: frames.TurnCancel) -> None:
        """Ask the agent to stop the turn, if it is still open; later it ends as cancelled for certain."""
        if self.open != order.turn:
            return
        if not self._is_given and self._prompting is not None:
            # The disk is slow or full, and the agent has not heard of the turn.
            self._prompting.cancel()
            self._end(messages.TurnEnded(stop_reason="cancelled"))
            return
        asyncio.get_running_loop().call_later(self._cancel_seconds, self._has_hung, order.turn)
        await self._cancel(order.turn)

    async def answer(self, order: frames.PermissionAnswer) -> None:
        """Hand a person's decision to the agent, once. Refusal when nobody waits for it any more."""
        if order.permission_id not in self._pending:
            raise Refusal("permission_closed")
        turn = self._pending.pop(order.permission_id)
        answered = messages.PermissionAnswered(
            permission_id=order.permission_id,
            choice=order.choice,
            by="user",
            user=order.user,
            message=order.message,
            answers=order.answers,
        )
        self._outbox.emit("permission.answered", answered, turn=turn)
        self._spawn(self._deliver(order, turn))

    async def configure(self, order: frames.AgentConfigure) -> None:
        """Use another model or mode from the next turn on."""
        try:
            await self._agent.configure(model=order.model, mode=order.mode)
        except (AgentError, OSError) as error:
            raise Refusal(f"agent: {error}") from error

    async def rest(self) -> None:
        """Let the agent's process end until the next prompt. Refusal while it has a turn or is shown."""
        if self._is_shown():
            raise Refusal("shown")
        if self.open is not None or self._is_stopping:
            raise Refusal("turn_open" if self.open is not None else "stopping")
        try:
            await self._agent.rest()
        except (AgentError, OSError) as error:
            raise Refusal(f"agent: {error}") from error

    def provider_failed(self, failure: messages.ErrorData) -> None:
        """The gate saw a model call fail: it knows more about it than the agent."""
        self._failure = failure

    def provider_answered(self) -> None:
        """The gate saw a model call go well."""
        self._failure = None

    async def follow(self) -> None:
        """Take the agent's events as long as it has any."""
        async for event in self._agent.events():
            try:
                await self._take(event)
            except messages.MessageError as error:
                _log.warning("an event of the agent was left out", kind=event.kind[:40], reason=str(error))
            except (AgentError, OSError) as error:
                _log.warning("the agent took no answer", reason=str(error))

    async def stop(self, *, seconds: float) -> None:
        """No turn begins any more; one that is open is cancelled, and may end as interrupted by itself."""
        self._is_stopping = True
        if self.open is not None and self._is_given:
            try:
                async with asyncio.timeout(seconds):
                    await self._cancel(self.open)
                    await self._idle.wait()
            except TimeoutError:
                _log.warning("the agent did not end its turn in time")

    def interrupt(
        self, error: messages.ErrorData | None = None, *, stop_reason: messages.StopReason = "interrupted"
    ) -> None:
        """End the open turn here and now; nobody follows the agent any more."""
        self._is_stopping = True
        if self._prompting:
            self._prompting.cancel()
        if error is not None:
            self._outbox.emit("error", error, turn=self.open)
        if self.open is not None:
            self._end(messages.TurnEnded(stop_reason=stop_reason, error=error))

    async def _prompt(self, order: frames.TurnStart) -> None:
        await asyncio.gather(self._outbox.durable(), self._look_first())
        self._is_given = True
        try:
            await self._agent.prompt(order.turn, order.text, model=order.model, mode=order.mode)
        except (AgentError, OSError) as error:
            if self.open == order.turn and not self._box_lost.is_set():
                failure = messages.ErrorData(
                    error_class="agent_crash", message=f"The agent did not take the prompt: {error}"
                )
                self._outbox.emit("error", failure, turn=order.turn)
                self._end(messages.TurnEnded(stop_reason="error", error=failure))

    async def _deliver(self, answer: frames.PermissionAnswer, turn: str | None) -> None:
        await self._outbox.durable()
        try:
            await self._agent.answer(answer)
        except UnknownPermission:
            _log.info("an answer came too late for the agent")
        except (AgentError, OSError) as error:
            words = f"The agent did not take the answer: {error}"
            failure = messages.ErrorData(error_class="internal", message=words)
            self._outbox.emit("error", failure, turn=turn if turn == self.open else None)

    async def _cancel(self, turn: str) -> None:
        if self._prompting and not self._prompting.done():
            # The agent can only stop what it has heard of.
            await asyncio.wait([self._prompting], timeout=self._cancel_seconds / 2)
        try:
            await self._agent.cancel(turn)
        except (AgentError, OSError) as error:
            _log.warning("the agent did not take the cancelling", reason=str(error))

    def _has_hung(self, turn: str) -> None:
        if self.open != turn:
            return
        _log.error("the agent did not end a cancelled turn")
        failure = messages.ErrorData(
            error_class="agent_hang",
            message="The agent did not react to being stopped and was ended. The next prompt starts it anew.",
        )
        self._outbox.emit("error", failure, turn=turn)
        self._end(messages.TurnEnded(stop_reason="cancelled", error=failure))
        self._on_hang()

    async def _take(self, event: AgentEvent) -> None:
        if event.kind not in _FROM_AGENTS:
            raise messages.MessageError("an agent has no say in this")
        if event.turn is not None and event.turn != self.open:
            _log.info("an event of a turn that is not open was left out", kind=event.kind)
            return
        if self._box_lost.is_set() and isinstance(event.data, messages.TurnEnded | messages.ErrorData):
            # That it fails without its box is no failure of the agent: the instance ends, and says why.
            return
        match event.data:
            case messages.TurnEnded() as ended if event.turn is not None:
                self._end(self._told_truly(ended))
            case messages.TurnEnded():
                raise messages.MessageError("the end of no turn")
            case messages.PermissionAsked() as asked:
                await self._asked(asked, event.turn)
            case messages.PermissionAnswered() as answered:
                self._answered(answered, event.turn)
            case messages.AgentStatus(status="retrying") as status if self._failure is not None:
                told = msgspec.structs.replace(status, message=self._failure.message)
                await self._outbox.put(event.kind, told, turn=event.turn)
            case messages.ErrorData() as error:
                await self._outbox.put("error", self._better(error), turn=event.turn)
            case data:
                await self._outbox.put(event.kind, data, turn=event.turn)

    async def _asked(self, asked: messages.PermissionAsked, turn: str | None) -> None:
        if asked.permission_id in self._pending:
            return
        try:
            if self.waiting + self._others_waiting() >= messages.MAX_PENDING:
                raise messages.MessageError("too many permissions wait")
            await self._outbox.put("permission.asked", asked, turn=turn)
        except messages.MessageError:
            # Nobody will see it, and the agent would wait for ever.
            await self._agent.answer(
                frames.PermissionAnswer(permission_id=asked.permission_id, choice="reject")
            )
            raise
        self._pending[asked.permission_id] = turn if turn is not None else self.open

    def _answered(self, answered: messages.PermissionAnswered, turn: str | None) -> None:
        """A reply that did not come through the platform, and so never a user's."""
        if answered.by == "user" or answered.permission_id not in self._pending:
            raise messages.MessageError("nobody waits for this answer")
        del self._pending[answered.permission_id]
        self._outbox.emit("permission.answered", answered, turn=turn)

    def _end(self, ended: messages.TurnEnded) -> None:
        turn, self.open = self.open, None
        assert turn is not None
        for permission_id in [each for each, of_turn in self._pending.items() if of_turn in (turn, None)]:
            del self._pending[permission_id]
            lost = messages.PermissionAnswered(permission_id=permission_id, choice="lost", by="platform")
            self._outbox.emit("permission.answered", lost, turn=turn)
        self._outbox.emit("turn.ended", ended, turn=turn)
        self._ended[turn] = None
        if len(self._ended) > KEPT_TURNS:
            del self._ended[next(iter(self._ended))]
        self._idle.set()
        _log.info("turn ended", stop_reason=ended.stop_reason)
        log.unbind("turn_id", "request_id")

    def _told_truly(self, ended: messages.TurnEnded) -> messages.TurnEnded:
        """An agent calls a turn cancelled that was stopped only because its instance ends."""
        stop_reason = ended.stop_reason
        if self._is_stopping and stop_reason == "cancelled":
            stop_reason = "interrupted"
        return messages.TurnEnded(
            stop_reason=stop_reason, error=self._better(ended.error) if ended.error else None
        )

    def _better(self, error: messages.ErrorData) -> messages.ErrorData:
        """The gate's words for a failure that the agent reports, if it is the same one.

        Agents are not told why a stream broke off, so any failure of the provider is the gate's to explain.
        """
        if self._failure is None:
            return error
        is_providers = error.error_class.startswith("provider_")
        return self._failure if is_providers or self._failure.error_class == error.error_class else error
