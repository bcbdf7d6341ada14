"""What all frames of the link have in common."""

from __future__ import annotations

import msgspec

MAX_FRAME_BYTES = 1 << 20


class Frame(msgspec.Struct, kw_only=True, tag_field="type"):
    """Base of all frames."""


class FrameError(ValueError):
    """Bytes that are not a frame: malformed, oversized or of an unknown type."""
