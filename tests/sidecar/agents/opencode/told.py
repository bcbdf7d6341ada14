"""A conversation fed with recorded or invented events, and what it makes of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sidecar.agents.base import AgentEvent, EventQueue
from sidecar.agents.opencode.conversation import Conversation
from sidecar.agents.opencode.requests import Order
from sidecar.agents.policy import Policy
from sidecar.agents.turns import Turns
from sidecar.protocol.messages import PermissionAsked, check_data, to_data
from tests.contract.agents.recorder import Turn

FIXTURES = Path(__file__).parents[3] / "fixtures" / "opencode"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.json"))
SESSION = "ses_root"
TURN = "00000000-0000-0000-0000-000000000001"


class Taken(EventQueue):
    """A queue whose events can be looked at without waiting."""

    def take(self) -> list[AgentEvent]:
        events = list(self._waiting)
        self._waiting.clear()
        return events


@dataclass
class Told:
    """One conversation in an open turn."""

    session: str = SESSION
    mode: str = "ask"
    queue: Taken = field(default_factory=Taken)
    orders: list[Order] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.turns = Turns(self.queue)
        self.policy = Policy(mode=self.mode)
        self.conversation = Conversation(self.turns, self.policy, "/workspace", self.orders.append)
        self.conversation.attach(self.session, [])
        self.turn = Turn(TURN)
        self.outside: list[AgentEvent] = []
        self.begin()

    def begin(self, turn: str = TURN) -> None:
        self.turn = Turn(turn)
        self.turns.begin(turn)
        self.conversation.begin()

    def hear(self, *events: dict[str, Any]) -> Turn:
        """Feed events; every event that comes out is checked."""
        for event in events:
            self.conversation.handle(event)
        for out in self.queue.take():
            check_data(out.kind, to_data(out.data))
            if out.turn == self.turn.id:
                self.turn.take(out)
            else:
                assert out.turn is None
                self.outside.append(out)
        return self.turn

    def say(self, kind: str, **properties: Any) -> Turn:
        """Feed one event."""
        return self.hear({"id": "evt_x", "type": kind, "properties": properties})

    def prompted(self, message: str = "msg_1") -> Turn:
        """OpenCode takes up the prompt and begins to reply as `msg_2`."""
        self.say("message.updated", info={"id": message, "role": "user", "sessionID": self.session})
        return self.replying("msg_2", message)

    def replying(self, message: str, to: str, session: str = "", **info: Any) -> Turn:
        given = {
            "id": message,
            "role": "assistant",
            "sessionID": session or self.session,
            "parentID": to,
            **info,
        }
        return self.say("message.updated", info=given)

    def part(self, part_id: str, kind: str, message: str = "msg_2", session: str = "", **rest: Any) -> Turn:
        part = {
            "id": part_id,
            "type": kind,
            "messageID": message,
            "sessionID": session or self.session,
            **rest,
        }
        return self.say("message.part.updated", part=part)

    def delta(self, part_id: str, delta: str, message: str = "msg_2") -> Turn:
        return self.say(
            "message.part.delta",
            sessionID=self.session,
            messageID=message,
            partID=part_id,
            field="text",
            delta=delta,
        )

    def tool(self, part_id: str, status: str, tool: str = "bash", **state: Any) -> Turn:
        state = {"status": status, "input": {}, **state}
        return self.part(part_id, "tool", tool=tool, callID=f"call_{part_id}", state=state)

    def asks(self, request: str, permission: str = "bash", **rest: Any) -> PermissionAsked:
        """OpenCode asks for a permission; what we ask for it."""
        before = len(self.turn.of("permission.asked"))
        given = {
            "id": request,
            "sessionID": self.session,
            "permission": permission,
            "patterns": ["ls"],
            **rest,
        }
        self.say("permission.asked", **{"always": ["ls *"], "metadata": {}, **given})
        (asked,) = self.turn.of("permission.asked")[before:]
        assert isinstance(asked, PermissionAsked)
        return asked

    def idle(self, finish: str = "stop") -> Turn:
        """The reply is complete and OpenCode idle."""
        self.replying("msg_2", "msg_1", time={"created": 1, "completed": 2}, finish=finish)
        return self.say_idle()

    def say_idle(self) -> Turn:
        return self.say("session.status", sessionID=self.session, status={"type": "idle"})


def recorded(name: str) -> dict[str, Any]:
    """Events and final messages of a turn of the real OpenCode."""
    found: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
    return found
