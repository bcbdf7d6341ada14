"""What a session's box may reach of the network, as the platform tells it and the gate keeps to it."""

from __future__ import annotations

from typing import Literal

import msgspec

EGRESS_VERSION = 5
"""The version of the link that knows it; a box of an older one reaches nothing."""

EGRESS_PORT = 7002
"""The loopback port of the box that leads to it: programs in the box are told to use it as their proxy."""

EgressPolicy = Literal["none", "allow-list", "full"]


class Egress(msgspec.Struct, kw_only=True):
    """`egress.configure`, and part of `session.claim`: the whole of it, from now on.

    `hosts` are patterns, `example.com` or `*.example.com` (everything below it), for the ports 80 and 443 or
    with `:port` for that one. `trusted` are `host:port` of the administrator's own registries: allowed unless
    the policy is none, and with private addresses too, but never with one of the sidecar's own host. `never`
    are patterns that are refused whatever else allows them, and are not asked about. `ask`: a host that an
    allow-list lacks becomes a permission instead of a refusal.
    """

    policy: EgressPolicy = "none"
    ask: bool = False
    hosts: list[str] = []
    trusted: list[str] = []
    never: list[str] = []
