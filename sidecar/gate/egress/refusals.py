"""What a program in the box is told that may not reach a host: many show no more than the status line."""

from __future__ import annotations

from sidecar.gate.egress.policy import Reason, Target

_WHY: dict[Reason, tuple[str, str]] = {
    "policy_none": (
        "the network policy of this session is none",
        "Whoever owns the session can choose another policy in its network settings.",
    ),
    "not_allowed": (
        "the host is not on the allow-list of this session",
        "Whoever owns the session can add it in its network settings.",
    ),
    "never": (
        "the host is on the list of those that are never allowed",
        "Whoever put it there can take it off that list: the owner of the session or the administrator.",
    ),
    "rejected": (
        "the owner of this session just refused it",
        "They can still allow it in the network settings of the session.",
    ),
    "unanswered": (
        "the owner of this session was asked and did not answer in time",
        "Try again when they are there, or ask them to add it in the network settings of the session.",
    ),
    "too_many_questions": (
        "too many hosts were asked for in a short time",
        "Try again in some minutes, or ask the owner of the session to add it in its network settings.",
    ),
    "port": (
        "only the ports 80 and 443 can be reached without being named",
        "The owner of the session can add the host with this port in its network settings.",
    ),
    "private": (
        "it leads into a private network",
        "Boxes reach the public internet only, and the mirrors that the administrator has set up.",
    ),
    "odd_host": (
        "it is not written as a host is",
        "Write a plain name such as example.com, or an address in its usual form.",
    ),
}


def status_line(target: Target | str, reason: Reason) -> str:
    """A few words for the status line."""
    return f"Blocked by the session's network policy: {_shown(target)}: {_WHY[reason][0]}"


def text(target: Target | str, reason: Reason, policy: str) -> str:
    """Policy, host and what can be done, in plain text."""
    why, what = _WHY[reason]
    return f"OpenAgent does not let this box reach {_shown(target)}: {why} (policy: {policy}).\n{what}\n"


def _shown(target: Target | str) -> str:
    """As it may stand in a status line: the box may have written anything."""
    plain = str(target)[:100].encode("ascii", "replace").decode()
    return "".join(char if char.isprintable() else "?" for char in plain)
