"""An agent that is started before anybody claims its instance, and handed to whoever does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sidecar import ending, log, stages
from sidecar.agents.base import Agent, AgentContext, AgentError, Box, ProviderNews
from sidecar.config import Limits
from sidecar.ending import Ending, Exit
from sidecar.protocol import frames, messages

PATIENCE_SECONDS = 60.0
"""How much longer than the gate an agent waits for a provider that says nothing."""
CLOSE_SECONDS = 2.0

_log = log.get(__name__)


class StartFailed(Exception):
    """The agent does not come up; `ending` says why."""

    def __init__(self, reason: Ending) -> None:
        super().__init__(reason.reason)
        self.ending = reason


@dataclass(frozen=True, kw_only=True)
class Started:
    """An agent that answers, and the news of its gate, which it listens to."""

    agent: Agent
    info: messages.AgentInfo
    news: ProviderNews


class ComingBox(Box, Protocol):
    """A box that may have to be waited for; OSError when it does not come."""

    async def connected(self, timeout: float, /) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where agents of this instance run, and who hears how far they have come."""

    box: ComingBox
    gate_port: Callable[[], int]
    limits: Limits
    on_stage: Callable[[stages.Name, str], None]
    on_progress: Callable[[stages.Name, str], None]

    async def wait_for_box(self) -> None:
        """Wait until the box has come. StartFailed when it does not."""
        try:
            await self.box.connected(self.limits.box_seconds)
        except OSError as error:
            raise StartFailed(
                ending.failed(Exit.START_FAILED, "box_lost", f"The box did not start. {error}")
            ) from error
        self.on_stage("box", "")

    def context(
        self,
        offers: Sequence[frames.Offer],
        *,
        mode: str = "",
        news: ProviderNews,
        login: Callable[[], Awaitable[str]] | None = None,
    ) -> AgentContext:
        """What an agent is told that works with the first model of `offers`, or may have to with another."""
        # The gate gives up a silent provider first, and says why; an agent that waits for it is not hung.
        silence = max(AgentContext.silence_seconds, self.limits.silence_seconds + PATIENCE_SECONDS)
        return AgentContext(
            box=self.box,
            provider=offers[0].provider,
            model=offers[0].models[0],
            offers=tuple(offers),
            mode=mode or "ask",
            gate_port=self.gate_port(),
            start_seconds=self.limits.agent_seconds,
            silence_seconds=silence,
            hang_seconds=max(AgentContext.hang_seconds, 2 * silence),
            news=news,
            login=login,
        )


async def start(agent: Agent, context: AgentContext) -> messages.AgentInfo:
    """Start it. StartFailed, in words for a person, when it does not come up in time."""
    try:
        async with asyncio.timeout(context.start_seconds + CLOSE_SECONDS):
            return await agent.start(context)
    except (AgentError, OSError, ValueError, TimeoutError) as error:
        words = str(error) or f"It was not ready after {context.start_seconds:g} seconds."
        raise StartFailed(
            ending.failed(Exit.START_FAILED, "agent_crash", f"The agent did not start. {words}")
        ) from error


async def close(agent: Agent) -> None:
    """End it, whatever it makes of that."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await agent.close()
    except (TimeoutError, AgentError, OSError) as error:
        _log.warning("the agent did not close", reason=str(error) or "timeout")


class Preparation:
    """`run` starts an agent for nobody in particular; `take` hands it over, once."""

    def __init__(self, place: Place, make_agent: Callable[[str], Agent]) -> None:
        self._place = place
        self._make_agent = make_agent
        self._starting: asyncio.Task[None] | None = None
        self._agent: Agent | None = None
        self._started: Started | None = None

    @property
    def is_begun(self) -> bool:
        """Whether anything was prepared."""
        return self._starting is not None

    async def run(self, order: frames.AgentPrepare) -> None:
        """Start the agent; at most once, however often it is said. StartFailed."""
        if self._starting is not None:
            return
        self._starting = asyncio.create_task(self._start(order))
        await self._starting

    async def take(self, claim: frames.SessionClaim) -> Started | None:
        """The agent, if it can serve this session; any other is ended, and None."""
        started, self._started = self._started, None
        if started is not None and claim.command is None and started.agent.id == claim.agent:
            if await started.agent.adopt(provider=claim.provider, model=claim.model, mode=claim.mode):
                self._agent = None
                return started
            _log.info("the prepared agent does not serve this session", provider=claim.provider.id)
        await self.close()
        return None

    async def close(self) -> None:
        """End what nobody has taken."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        agent, self._agent = self._agent, None
        if agent is not None:
            await close(agent)

    async def _start(self, order: frames.AgentPrepare) -> None:
        await self._place.wait_for_box()
        try:
            agent = self._agent = self._make_agent(order.agent)
        except AgentError as error:
            raise StartFailed(ending.failed(Exit.START_FAILED, "agent_crash", str(error))) from error
        news = ProviderNews()
        info = await start(agent, self._place.context(order.offers, news=news))
        self._started = Started(agent=agent, info=info, news=news)
        self._place.on_stage("agent", f"{info.name} {info.version}".strip())
