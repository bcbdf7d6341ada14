"""Whether a call may begin: asked of the platform, which knows what everybody has used (link version 5)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from sidecar.protocol.framing import Frame, Number

BUDGET_VERSION = 5
"""The version of the link that knows it; an older sidecar does not ask, and its turns are stopped instead."""

CORRECTION_VERSION = 7
"""The version that knows `reserve`, and `usage` that corrects what was told before."""

MAX_CALLS = 100


class Reserve(msgspec.Struct, kw_only=True):
    """The most that a call may cost which is under way without anybody who reads it."""

    model: str
    input: Number
    output: Number


class BudgetAsk(Frame, tag="budget.ask"):
    """May one more call begin? `calls` are the request ids of counted calls that may not be stored yet.

    `corrected` are those that had been stored as an estimate, of which better numbers may not be stored yet.
    With `reserve` it asks whether something is left if that is counted already.
    """

    id: str
    calls: Annotated[list[str], msgspec.Meta(max_length=MAX_CALLS)] = []
    reserve: Reserve | None = None
    corrected: Annotated[list[str], msgspec.Meta(max_length=MAX_CALLS)] = []


class Budget(Frame, tag="budget"):
    """The answer: `refused` says why not, in words. `again`: ask again, not all that was told is stored.

    `limited`: a budget binds the session, so each call has to wait for its answer. `fits` answers `reserve`.
    """

    id: str
    refused: str = ""
    limited: bool = False
    again: bool = False
    fits: bool = False
