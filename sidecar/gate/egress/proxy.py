"""The egress proxy: plain HTTP requests and CONNECT from the box, to hosts that the session's policy allows.

1. The host is read strictly and judged by its name; nothing is looked up for one that is not allowed.
2. Where the policy has it so, a person is asked, and the connection waits.
3. The name is resolved here, every address is checked, and the connection goes to one that was.
4. Bytes pass both ways as fast as the other side reads. What holds is looked at again when it changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace

from sidecar import http1, log
from sidecar.gate.egress import addresses, forward, passages, refusals, tunnel
from sidecar.gate.egress.addresses import Private, Resolve, Stream, Unreachable
from sidecar.gate.egress.passages import Blocked, Passage
from sidecar.gate.egress.policy import Policy, Target, Verdict
from sidecar.gate.egress.questions import ANSWER_SECONDS, Questions
from sidecar.gate.egress.record import Emit, Record
from sidecar.http1 import BadRequest, Connection, PeerGone, Request
from sidecar.protocol.egress import Egress
from sidecar.protocol.frames import PermissionAnswer

_log = log.get(__name__)
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_ESTABLISHED = b"Connection established"
_BODY_BYTES = 1 << 40
_REFUSED_BYTES = 1 << 20
"""Of the body of a request that is refused: it is read for nothing, so that the refusal is."""
_LET_GO_SECONDS = 5.0
_FULL_SECONDS = 2.0

Connect = Callable[[list[str], int], Awaitable[Stream]]


@dataclass(frozen=True)
class Limits:
    """What one box may use; times in seconds."""

    connections: int = 128
    greeting_seconds: float = 60.0
    connect_seconds: float = 15.0
    idle_seconds: float = 300.0
    answer_seconds: float = ANSWER_SECONDS


class EgressGate:
    """The proxy of one session. `emit` takes the events; `has_room` says whether a permission may wait."""

    def __init__(
        self,
        egress: Egress,
        emit: Emit,
        *,
        has_room: Callable[[], bool] = lambda: True,
        host_addresses: Collection[str] = (),
        limits: Limits | None = None,
        resolve: Resolve | None = None,
        connect: Connect | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._policy = Policy(egress)
        self._record = Record(emit)
        seconds = self._limits.answer_seconds
        self._questions = Questions(emit, self._answered, has_room=has_room, seconds=seconds)
        self._host_addresses = frozenset(host_addresses)
        self._resolve = resolve or addresses.Resolver()
        self._connect = connect or self._dial
        self._open: set[Passage] = set()

    def is_open(self) -> bool:
        """Whether the policy lets anything out at all."""
        return self._policy.name != "none"

    @property
    def waiting(self) -> int:
        """How many questions wait for a person."""
        return self._questions.waiting

    def configure(self, egress: Egress) -> None:
        """This holds from now on, also for connections that are open and for questions that wait."""
        self._policy.configure(egress)
        self._look_again()

    def answer(self, order: PermissionAnswer) -> bool:
        """A person's answer to a question of this gate; False when it is not to one of these."""
        return self._questions.answer(order)

    def finish(self) -> None:
        """The instance ends: nobody is asked any more, and what happened is told."""
        self._questions.close()
        self._record.close()

    async def close(self) -> None:
        """Cut all connections."""
        tasks = [passage.task for passage in self._open]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection from the box until either side ends it."""
        limits = http1.Limits(body_bytes=_REFUSED_BYTES, idle_seconds=self._limits.greeting_seconds)
        passage = Passage()
        passage.task = asyncio.create_task(self._converse(Connection(reader, writer, limits), passage))
        self._open.add(passage)
        try:
            # Not awaited itself: it may be cut, and that must not look like a cancelled caller.
            await asyncio.wait((passage.task,))
        finally:
            self._open.discard(passage)
            passage.task.cancel()
        if not passage.task.cancelled():
            passage.task.result()

    async def _converse(self, connection: Connection, passage: Passage) -> None:
        try:
            if len(self._open) > self._limits.connections:
                # Who has not been read to the end may lose the answer.
                connection.limits = replace(connection.limits, idle_seconds=_FULL_SECONDS)
                await connection.request()
                await self._say(connection, 503, "This box has too many connections open.")
                return
            while (request := await connection.request()) is not None:
                if not await self._serve(connection, request, passage):
                    return
        except BadRequest as error:
            await self._say(connection, error.status, f"The proxy cannot take this: {error.message}.")
        except (PeerGone, forward.Broken, OSError):
            connection.abort()
        except asyncio.CancelledError:
            # Nobody waits for a box that does not read.
            connection.abort()
            raise
        finally:
            await connection.close()

    async def _serve(self, connection: Connection, request: Request, passage: Passage) -> bool:
        """Whether another request may follow."""
        try:
            target, asked = passages.read(request)
            outside = await self._reach(connection, target, passage)
        except Blocked as blocked:
            await self._refuse(connection, blocked)
            return True
        except Unreachable as error:
            await self._say(connection, 502, f"{error}")
            return True
        finally:
            passage.target = None
        passage.target = target
        counts = tunnel.Counts()
        self._record.connected(target)
        try:
            if request.method == "CONNECT":
                await self._tunnel(connection, outside, counts)
                return False
            idle_seconds = self._limits.idle_seconds
            exchange = forward.Exchange(connection, request, target, asked, outside, counts, idle_seconds)
            await self._forward(connection, exchange)
            return True
        finally:
            passage.target = None
            self._record.passed(target, up=counts.up, down=counts.down)
            _let_go(outside)

    async def _reach(self, connection: Connection, target: Target, passage: Passage) -> Stream:
        """A connection to the host. Blocked, Unreachable, PeerGone."""
        if target.is_address:
            # Before anything else: no policy and no person can allow what is this machine's.
            self._check(target, [target.host], is_trusted=True)
        verdict = self._judge(target)
        if verdict.can_be_asked:
            verdict = await self._asked(connection, target)
        if verdict.reason:
            raise Blocked(target, verdict.reason)
        passage.target, passage.is_brief = target, verdict.is_brief
        found = [target.host] if target.is_address else await self._resolve(target.host, target.port)
        self._check(target, found, is_trusted=verdict.is_trusted)
        return await self._connect(found, target.port)

    def _check(self, target: Target, found: list[str], *, is_trusted: bool) -> None:
        try:
            addresses.check(found, is_trusted=is_trusted, host_addresses=self._host_addresses)
        except Private:
            raise Blocked(target, "private") from None

    async def _asked(self, connection: Connection, target: Target) -> Verdict:
        """What a person says, as long as the box waits for it. PeerGone."""
        asking = asyncio.create_task(self._questions.ask(target))
        gone = asyncio.create_task(connection.gone())
        try:
            await asyncio.wait((asking, gone), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise PeerGone
            outcome = asking.result()
        finally:
            asking.cancel()
            gone.cancel()
            await asyncio.gather(asking, gone, return_exceptions=True)
        if outcome == "too_many_questions":
            return Verdict(outcome)
        verdict = self._judge(target)
        return Verdict("unanswered") if verdict.can_be_asked else verdict

    def _answered(self, target: Target, choice: str) -> None:
        self._policy.answered(target.rule, choice, now=_now())
        self._look_again()

    def _judge(self, target: Target) -> Verdict:
        return self._policy.judge(target, now=_now())

    def _look_again(self) -> None:
        """Cut what is not allowed any more, and ask nobody what is decided."""
        self._questions.settle(lambda target: not self._judge(target).can_be_asked)
        for passage in self._open:
            if passage.target is None:
                continue
            reason = self._judge(passage.target).reason
            if reason in ("never", "policy_none") if passage.is_brief else reason:
                passage.task.cancel()

    async def _tunnel(self, connection: Connection, outside: Stream, counts: tunnel.Counts) -> None:
        await connection.discard()
        await connection.start(200, [], reason=_ESTABLISHED)
        if surplus := connection.surplus():
            counts.up += len(surplus)
            outside[1].write(surplus)
        box = (connection.reader, connection.writer)
        await tunnel.run(box, outside, counts, idle_seconds=self._limits.idle_seconds)

    async def _forward(self, box: Connection, exchange: forward.Exchange) -> None:
        refused = box.limits
        box.limits = replace(refused, body_bytes=_BODY_BYTES)
        try:
            await exchange.run()
        except forward.NoAnswer:
            await self._say(box, 502, f"{exchange.target.host} gave no answer that is HTTP.")
        finally:
            box.limits = refused

    async def _refuse(self, connection: Connection, blocked: Blocked) -> None:
        target, reason = blocked.target, blocked.reason
        if isinstance(target, Target):
            _log.info("egress blocked", host=str(target), reason=reason)
            self._record.blocked(target, reason)
        line = refusals.status_line(target, reason).encode()
        await self._say(connection, 403, refusals.text(target, reason, self._policy.name), line)

    async def _say(self, connection: Connection, status: int, text: str, line: bytes = b"") -> None:
        """Answer something of our own, unless an answer has begun or the box is gone."""
        if connection.answer_started:
            connection.abort()
            return
        try:
            await connection.respond(status, [_TEXT], f"{text.rstrip()}\n".encode(), reason=line)
        except PeerGone:
            connection.abort()

    async def _dial(self, found: list[str], port: int) -> Stream:
        return await addresses.connect(found, port, seconds=self._limits.connect_seconds)


def _let_go(outside: Stream) -> None:
    """Close it once what was written is sent, or before long if the host does not take it."""
    outside[1].close()
    asyncio.get_running_loop().call_later(_LET_GO_SECONDS, outside[1].transport.abort)


def _now() -> float:
    return asyncio.get_running_loop().time()
