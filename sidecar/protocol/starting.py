"""The frames in which a sidecar says how far the start of its instance is."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from sidecar.protocol.framing import Frame, Number

CLONE_VERSION = 6
"""The version of the link that knows the stage `repository`, and `progress`."""

StageName = Literal["sidecar", "box", "repository", "agent", "ready"]


class Stage(Frame, tag="stage"):
    """A start-up stage was reached, `elapsed_ms` after the sidecar's own start (monotonic)."""

    stage: StageName
    elapsed_ms: Number
    detail: str = ""


class Progress(Frame, tag="progress"):
    """The start goes on towards this stage, which it has not reached; `detail` says how far it is."""

    stage: StageName
    detail: Annotated[str, msgspec.Meta(max_length=100)] = ""
