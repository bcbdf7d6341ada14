"""Structured logs of the sidecar: one JSON object per line on stderr, with ids, and without any secret.

`hide` names a secret, and every later line is searched for it in the forms it may take; what looks like a key
or a token goes too, named or not.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections import Counter
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from sidecar import forms

REDACTED = "[redacted]"

_LOOKS_SECRET = re.compile(
    r"(?i)(?<![a-z0-9])(?:(?:sk|pk|rk|gsk|xai|oat|gh[pousr]|github_pat|glpat|hf)[-_][a-z0-9_-]{12,}|AIza[a-z0-9_-]{20,}"
    r"|(?:bearer|basic)\s+[a-z0-9._~+/=-]{8,})"
)

_hidden: dict[str, frozenset[str]] = {}
_hiding: Counter[str] = Counter()
_ids: ContextVar[dict[str, str] | None] = ContextVar("log_ids", default=None)


def get(name: str) -> FilteringBoundLogger:
    """The logger of a module."""
    return cast(FilteringBoundLogger, structlog.stdlib.get_logger(name))


def begin(**ids: str) -> None:
    """Every line of this task, and of all tasks that come from it, carries these ids and those of `bind`."""
    _ids.set(dict(ids))


def bind(**ids: str) -> None:
    """From here on the tasks that share a `begin` write these ids too, also those that run already."""
    shared = _ids.get()
    if shared is None:
        begin(**ids)
    else:
        shared.update(ids)


def unbind(*names: str) -> None:
    shared = _ids.get() or {}
    for name in names:
        shared.pop(name, None)


def hide(secret: str) -> None:
    """No line will show `secret`, as it is or in another of its forms, until as many `unhide`."""
    if len(secret) >= forms.SHORTEST:
        _hiding[secret] += 1
        _hidden[secret] = forms.of(secret)


def unhide(secret: str) -> None:
    """Whoever hid it has it no more; when nobody has, it is not kept here either."""
    _hiding[secret] -= 1
    if _hiding[secret] <= 0:
        del _hiding[secret]
        _hidden.pop(secret, None)


def redact(text: str) -> str:
    """`text` without secrets."""
    for secret in sorted(frozenset().union(*_hidden.values()), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return _LOOKS_SECRET.sub(REDACTED, text)


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Set up logging for this process, the standard library's included."""
    shared: list[Processor] = [
        _add_ids,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.getLevelNamesMapping().get(level.upper(), logging.INFO))
    # Below warning these write every frame and every request, contents included.
    for chatty in ("websockets", "httpx2", "httpcore2", "h11", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _add_ids(logger: Any, name: str, event: EventDict) -> EventDict:
    return {**(_ids.get() or {}), **event}


def _render(logger: Any, name: str, event: EventDict) -> str:
    return redact(json.dumps(_plain(event), ensure_ascii=False, default=str))


def _plain(event: Mapping[str, Any]) -> dict[str, Any]:
    """The line with its message first, whatever else it holds."""
    return {"event": event.get("event"), **{key: value for key, value in event.items() if key != "event"}}
