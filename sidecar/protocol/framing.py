"""What all frames of the link have in common."""

from __future__ import annotations

from typing import Annotated

import msgspec

MAX_FRAME_BYTES = 1 << 20

Number = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""A number, an offset or a count: fits every column and every head of a binary message."""
Generation = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
"""A generation of a session, which has a smaller column."""
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
"""A port that somebody can connect to."""
ExitCode = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
"""What a program ended with; negative for a signal."""


class Frame(msgspec.Struct, kw_only=True, tag_field="type"):
    """Base of all frames."""


class FrameError(ValueError):
    """Bytes that are not a frame: malformed, oversized or of an unknown type."""
