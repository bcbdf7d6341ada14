"""What gets into a log when somebody prints a part of the gate: never a key."""

from __future__ import annotations

from typing import Any

from sidecar.gate import logins
from sidecar.gate.relay import Relay, Upstream
from sidecar.gate.room import Room
from tests.sidecar.gate.boxside import KEY, provider


def test_what_is_printed_of_a_call_is_without_the_key() -> None:
    nothing: Any = None
    served = provider("openai-chat", "http://127.0.0.1:1/v1")
    call = Relay(
        provider=served,
        upstream=Upstream(nothing, "", 1, Room(1), 1, 1, 1),
        connection=nothing,
        request=nothing,
        admitted=nothing,
        credential=logins.read(served, KEY),
        on_usage=nothing,
        on_error=nothing,
    )
    assert KEY not in repr(call)
