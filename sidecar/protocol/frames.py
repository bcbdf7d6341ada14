"""The frames of the link: JSON text messages between a sidecar and the platform, decoded strictly.

Those of terminals are in `terminals`; the binary messages, too.

A frame is at most MAX_FRAME_BYTES long and carries its `type`. Numbers: events are numbered by `seq` per
session, commands by `number` per instance; each side says at hello the last number that it holds.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from sidecar.protocol import budget, changes, queries, terminals
from sidecar.protocol.agent_command import AgentCommand
from sidecar.protocol.egress import Egress
from sidecar.protocol.framing import MAX_FRAME_BYTES as MAX_FRAME_BYTES
from sidecar.protocol.framing import Frame as Frame
from sidecar.protocol.framing import FrameError as FrameError
from sidecar.protocol.framing import Generation, Number
from sidecar.protocol.git import Repository
from sidecar.protocol.messages import Event
from sidecar.protocol.starting import Progress as Progress
from sidecar.protocol.starting import Stage as Stage
from sidecar.protocol.upstream import Offer as Offer
from sidecar.protocol.upstream import Provider as Provider

PREPARE_VERSION = 3
REST_VERSION = 4
LOGIN_VERSION = 6
PROTOCOL_VERSIONS = tuple(range(1, changes.VERSION + 1))
"""1 is without terminals, 3 has `agent.prepare`, 4 `agent.rest`; 5 has `egress.configure`, `budget.ask`,
repositories, and addresses that a key's owner chose; 6 knows logins of plans, the stage
`repository` and `progress`; 7 usage that corrects, `reserve` of `budget.ask`, and the queries `changes.*`."""


class Hello(Frame, tag="hello"):
    """The first frame of every connection. Keys are base64: an X25519 public key, a fresh 16 byte nonce."""

    versions: list[int]
    sidecar_version: str
    instance: str
    token: str
    public_key: str
    nonce: str
    gen: Generation = 0
    last_seq: Number = 0
    last_command: Number = 0

    def __repr__(self) -> str:
        """Without the token."""
        return f"Hello({self.instance})"


class Events(Frame, tag="events"):
    """New events of the live generation, consecutive in `seq`."""

    events: list[Event]


class Salvage(Frame, tag="salvage"):
    """What an earlier generation journaled and nobody acknowledged, in its own numbers; `done` ends it."""

    gen: Generation
    events: list[Event]
    done: bool = False


class CommandDone(Frame, tag="command.done"):
    """All commands up to `number` are carried out or refused; a refusal of `number` says why."""

    number: Number
    error: str = ""


class KeyRequest(Frame, tag="key.request"):
    """The gate needs the provider's key again; sealed to the hello's public key and this new nonce.

    `base_url` is where it will be sent, if the key's owner chose that: no other key is given out for it.
    """

    provider: str
    nonce: str
    base_url: str = ""


class Answer(Frame, tag="answer"):
    """The reply to a query: `data`, or `error` (a code) with `message`."""

    id: str
    data: dict[str, Any] | None = None
    error: str = ""
    message: str = ""


class Goodbye(Frame, tag="goodbye"):
    """Everything journaled is sent; the sidecar ends when this is acknowledged by a close."""

    reason: str


class Command(msgspec.Struct, kw_only=True):
    """An order, numbered per instance; `verb` is one of VERBS and `data` its arguments."""

    number: Number
    verb: str
    data: dict[str, Any]


class Welcome(Frame, tag="welcome"):
    """The link is accepted: the protocol version, and the last event of this generation that is stored."""

    version: int
    platform_version: str
    stored_seq: Number = 0


class Commands(Frame, tag="commands"):
    """Commands after the sidecar's cursor, in order."""

    commands: list[Command]


class Ack(Frame, tag="ack"):
    """Events up to `seq` are stored; the sidecar may forget them."""

    seq: Number


class SalvageAck(Frame, tag="salvage.ack"):
    """Salvaged events of generation `gen` up to `seq` (its own numbers) are stored.

    The one that answers `done` carries `next_seq`: the first number that the new generation may use.
    """

    gen: Generation
    seq: Number
    next_seq: Number = 0


class Key(Frame, tag="key"):
    """A provider key sealed with HPKE to the sidecar's public key and `nonce`; `error` when there is none."""

    provider: str
    nonce: str
    sealed: str = ""
    error: str = ""


class KeyDrop(Frame, tag="key.drop"):
    """The key of `provider` was revoked: forget it now."""

    provider: str


class Query(Frame, tag="query"):
    """A question about the workspace or a terminal; `changes.revert` alone changes anything."""

    id: str
    verb: queries.Verb
    data: dict[str, Any]


class AgentPrepare(Frame, tag="agent.prepare"):
    """To an instance that belongs to nobody yet: start this agent, so that it is there for whoever claims it.

    Said with every connection until then.
    """

    agent: str
    offers: Annotated[list[Offer], msgspec.Meta(min_length=1)]


class Refused(Frame, tag="refused"):
    """The platform ends this link. `final` means that the instance has no business any more and must end."""

    code: str
    message: str
    final: bool


_Asks = KeyRequest | budget.BudgetAsk
Up = Hello | Events | Salvage | CommandDone | Stage | Progress | _Asks | Answer | Goodbye | terminals.Up
_Answers = Ack | SalvageAck | Key | KeyDrop | budget.Budget
Down = Welcome | Commands | _Answers | Query | AgentPrepare | Refused | terminals.Down

VERBS = frozenset(
    {
        *("session.claim", "turn.start", "turn.cancel", "permission.answer", "agent.configure", "agent.rest"),
        *("instance.stop", "terminal.open", "terminal.open_agent", "terminal.close", "terminal.resize"),
        "egress.configure",
    }
)


class SessionClaim(msgspec.Struct, kw_only=True):
    """`session.claim`: always an instance's first command; from here on it belongs to `session`.

    `next_seq` is the first number the instance may use if there is nothing to salvage. `budgeted`: a budget
    binds the session, so each call of a model has to be allowed first.
    """

    session: str
    gen: Generation
    next_seq: Number
    agent: str
    model: str
    provider: Provider
    mode: str = ""
    driver: str = ""
    command: AgentCommand | None = None
    egress: Egress | None = None
    budgeted: bool = False
    repositories: list[Repository] = []

    @property
    def own_addresses(self) -> dict[str, str]:
        """Where keys are used whose owners chose that, by provider."""
        own = {each.provider: each.base_url for each in self.repositories if each.base_url}
        return own | ({self.provider.id: self.provider.base_url} if self.provider.is_own_address else {})


class TurnStart(msgspec.Struct, kw_only=True):
    """`turn.start`: give the prompt to the agent, once; `request` brought it, and is for the log only."""

    turn: str
    text: str
    by: str = ""
    model: str = ""
    mode: str = ""
    request: str = ""


class TurnCancel(msgspec.Struct, kw_only=True):
    """`turn.cancel`: stop this turn if it is the open one."""

    turn: str


class PermissionAnswer(msgspec.Struct, kw_only=True):
    """`permission.answer`: what a person decided; `always` and `never` are said of hosts only."""

    permission_id: str
    choice: Literal["once", "session", "reject", "answered", "always", "never"]
    user: str = ""
    message: str = ""
    answers: list[list[str]] = []


class AgentConfigure(msgspec.Struct, kw_only=True):
    """`agent.configure`: use this model or mode from the next turn on; empty keeps what is."""

    model: str = ""
    mode: str = ""


class AgentRest(msgspec.Struct, kw_only=True):
    """`agent.rest`: end the agent's process until the next prompt; refused while a turn is open."""


class TerminalOpenAgent(terminals.TerminalOpen, kw_only=True):
    """`terminal.open_agent`: the agent's own interface in place of a command; an older sidecar refuses it."""


class InstanceStop(msgspec.Struct, kw_only=True):
    """`instance.stop`: flush and end; `reason` is that of `instance.stopped`."""

    reason: str


_up = msgspec.json.Decoder(Up)
_down = msgspec.json.Decoder(Down)
_encoder = msgspec.json.Encoder()


def encode(frame: Frame) -> str:
    """The text message for `frame`."""
    return _encoder.encode(frame).decode()


def decode_up(raw: bytes | str) -> Up:
    """A frame that a sidecar sent. FrameError names what is wrong, without quoting the bytes."""
    return _decode(_up, raw)  # type: ignore[no-any-return]


def decode_down(raw: bytes | str) -> Down:
    """A frame that the platform sent. FrameError as for `decode_up`."""
    return _decode(_down, raw)  # type: ignore[no-any-return]


def _decode(decoder: msgspec.json.Decoder[Any], raw: bytes | str) -> Any:
    if len(raw) > MAX_FRAME_BYTES:
        raise FrameError("frame is longer than 1 MiB")
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise FrameError("frame does not fit the protocol") from error
