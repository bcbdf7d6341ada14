"""The git gate: git in the box reaches the session's repositories over HTTPS, with the token put in here.

1. The request is matched against the repositories (`requests`); what a push wants is judged first (`pushes`).
2. The host's name is resolved here, every address is checked, and the connection goes to one that was.
3. Request and answer are said anew, without a word of accounts; pieces pass as fast as the other side reads.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace

from sidecar import http1, log
from sidecar.gate.egress import addresses, forward, tunnel
from sidecar.gate.egress.addresses import Private, Resolve, Stream, Unreachable
from sidecar.gate.egress.policy import OddHost, Target, read_target
from sidecar.gate.egress.record import Emit, Record
from sidecar.gate.git import pkt_line, pushes, requests
from sidecar.gate.git.requests import Asked, Refused
from sidecar.gate.git.side import Side
from sidecar.gate.models import KeyUnavailable
from sidecar.http1 import BadRequest, Connection, PeerGone, Request
from sidecar.protocol.git import Repository

_log = log.get(__name__)
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_RESULT = (b"content-type", b"application/x-git-receive-pack-result")
_BODY_BYTES = 1 << 40
_REFUSED_BYTES = 64 << 20
"""Of a push that is refused: it is read for nothing, so that git reads why."""

_CLOSED = (
    "The network policy of this session is none. Whoever owns the session can choose another policy in its "
    "network settings."
)

Connect = Callable[[list[str], int], Awaitable[Stream]]


@dataclass(frozen=True)
class Limits:
    """What one box may use; times in seconds. A host may think for long before it has packed a repository."""

    connections: int = 16
    connect_seconds: float = 15.0
    idle_seconds: float = 600.0
    token_seconds: float = 20.0


class GitGate:
    """The repositories of one session. `token` is asked for each request and raises KeyUnavailable.

    `is_open` says whether the session's network policy lets anything out.
    """

    def __init__(
        self,
        repositories: Sequence[Repository],
        token: Callable[[str], Awaitable[str]],
        emit: Emit,
        *,
        is_open: Callable[[], bool] = lambda: True,
        host_addresses: Collection[str] = (),
        limits: Limits | None = None,
        resolve: Resolve | None = None,
        connect: Connect | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._repositories = tuple(repositories)
        self._token = token
        self._record = Record(emit)
        self._is_open = is_open
        self._host_addresses = frozenset(host_addresses)
        self._limits = limits or Limits()
        self._resolve = resolve or addresses.Resolver()
        self._connect = connect or self._dial
        self._tls = tls
        self._open: dict[asyncio.Task[None], str] = {}

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection from the box until either side ends it."""
        connection = Connection(reader, writer, http1.Limits(body_bytes=_BODY_BYTES))
        task = asyncio.create_task(self._converse(connection))
        self._open[task] = ""
        try:
            # Not awaited itself: it may be cut, and that must not look like a cancelled caller.
            await asyncio.wait((task,))
        finally:
            del self._open[task]
            task.cancel()
        if not task.cancelled():
            task.result()

    def key_revoked(self, provider: str) -> None:
        """What goes on with this key's token ends now."""
        for task, used in self._open.items():
            if used == provider:
                task.cancel()

    def finish(self) -> None:
        """What happened is told: the instance ends."""
        self._record.close()

    async def close(self) -> None:
        """Cut all connections."""
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _converse(self, connection: Connection) -> None:
        limits = connection.limits
        try:
            while (request := await connection.request()) is not None:
                await self._answer(connection, request)
                # A refusal has lowered what may be read.
                connection.limits = limits
        except BadRequest as error:
            await _say(connection, error.status, f"The git gate cannot take this: {error.message}.")
        except (PeerGone, forward.Broken, OSError):
            connection.abort()
        except asyncio.CancelledError:
            # Nobody waits for a box that does not read.
            connection.abort()
            raise
        finally:
            await connection.close()

    async def _answer(self, connection: Connection, request: Request) -> None:
        try:
            if len(self._open) > self._limits.connections:
                raise Refused(503, "Too many programs of this box use git at once.")
            if not self._is_open():
                raise Refused(403, _CLOSED)
            asked = requests.read(self._repositories, request.method, request.target)
            await self._serve(connection, request, asked)
        except Refused as refused:
            _log.info("git request refused", status=refused.status, reason=refused.message)
            connection.limits = replace(connection.limits, body_bytes=_REFUSED_BYTES)
            await _say(connection, refused.status, refused.message)

    async def _serve(self, connection: Connection, request: Request, asked: Asked) -> None:
        side = Side(connection, asked.repository.host)
        if asked.is_push and (told := await self._judge(side, request, asked)) is not None:
            connection.limits = replace(connection.limits, body_bytes=_REFUSED_BYTES)
            await connection.respond(200, [_RESULT], told)
            return
        secret = await self._secret(asked.repository)
        side.hide(secret)
        target, outside = await self._reach(asked.repository)
        counts = tunnel.Counts()
        self._record.connected(target)
        try:
            said = replace(request, headers=self._headers(request, asked.repository, secret))
            idle_seconds = self._limits.idle_seconds
            await forward.Exchange(
                side, said, target, asked.path, outside, counts, idle_seconds, default_port=443
            ).run()
        except forward.NoAnswer:
            raise Refused(502, f"{asked.repository.host} gave no answer that is HTTP.") from None
        finally:
            self._open[_this_task()] = ""
            self._record.passed(target, up=counts.up, down=counts.down)
            # The answer was whole or is worth nothing: nobody waits for the host's goodbye.
            outside[1].transport.abort()

    async def _judge(self, side: Side, request: Request, asked: Asked) -> bytes | None:
        """The answer to a push that may not go on, None for one that may. Refused when it cannot be read."""
        if request.header(b"content-encoding") not in (b"", b"identity"):
            raise Refused(415, "A push must not be compressed as a whole.")
        try:
            push = pushes.read(await side.commands())
        except pkt_line.Malformed:
            raise Refused(400, "This push cannot be understood; pushes cannot be signed here.") from None
        refused = pushes.refusals(push, asked.repository.push)
        if not refused:
            return None
        _log.info("push refused", refs=[change.ref[:200] for change in push.changes][:10])
        return pushes.report(push, refused)

    async def _secret(self, repository: Repository) -> str:
        """The token for this repository's host, empty when there is none. Refused when it cannot be had."""
        if not repository.provider:
            return ""
        self._open[_this_task()] = repository.provider
        try:
            async with asyncio.timeout(self._limits.token_seconds):
                return await self._token(repository.provider)
        except TimeoutError:
            raise Refused(503, "The platform did not give the token in time. Try again.") from None
        except KeyUnavailable as error:
            raise Refused(403 if error.permanent else 503, error.message) from None

    async def _reach(self, repository: Repository) -> tuple[Target, Stream]:
        """A connection to the host, in TLS. Refused."""
        try:
            target = read_target(repository.host, default_port=443)
            found = [target.host] if target.is_address else await self._resolve(target.host, target.port)
            addresses.check(found, is_trusted=repository.trusted, host_addresses=self._host_addresses)
            outside = await self._connect(found, target.port)
        except OddHost:
            raise Refused(502, f"{repository.host} is not written as a host is.") from None
        except Private:
            raise Refused(403, f"{repository.host} leads into a private network.") from None
        except Unreachable as error:
            raise Refused(502, f"{repository.host} cannot be reached. {error}") from None
        await self._secure(outside, target)
        return target, outside

    async def _secure(self, outside: Stream, target: Target) -> None:
        """Go on in TLS with the host that is meant. Refused."""
        tls = self._tls or ssl.create_default_context()
        is_safe = False
        try:
            async with asyncio.timeout(self._limits.connect_seconds):
                await outside[1].start_tls(tls, server_hostname=target.host)
            is_safe = True
        except OSError as error:
            why = "its certificate is not accepted" if isinstance(error, ssl.SSLError) else "it hung up"
            raise Refused(502, f"There is no safe connection to {target.host}: {why}.") from None
        finally:
            if not is_safe:
                outside[1].transport.abort()

    def _headers(self, request: Request, repository: Repository, secret: str) -> requests.Headers:
        headers = requests.request_headers(request.headers)
        if not secret:
            return headers
        account = base64.b64encode(f"{repository.user}:{secret}".encode())
        return (*headers, (b"authorization", b"Basic " + account))

    async def _dial(self, found: list[str], port: int) -> Stream:
        return await addresses.connect(found, port, seconds=self._limits.connect_seconds)


async def _say(connection: Connection, status: int, text: str) -> None:
    """Answer something of our own, unless an answer has begun or the box is gone. Git shows plain text."""
    if connection.answer_started:
        connection.abort()
        return
    try:
        await connection.respond(status, [_TEXT], f"OpenAgent: {text}\n".encode())
    except PeerGone:
        connection.abort()


def _this_task() -> asyncio.Task[None]:
    task = asyncio.current_task()
    assert task is not None
    return task
