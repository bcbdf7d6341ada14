"""Sets up structured logs: JSON lines in production, readable ones on a terminal, secrets in neither.

Every line carries the ids that were bound where it was written: the request's and the user's by
django-structlog, the session's, instance's and turn's by `context`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from openagent.lib.env import SettingError
from openagent.lib.redact import Redactor

# Asked every few seconds for ever, by those who watch us.
_WATCHED = {"GET /healthz", "GET /readyz", "GET /metrics"}

_redactor = Redactor()
protect = _redactor.protect
forget = _redactor.forget
protected = _redactor.protected
redact = _redactor.text


def get(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


@contextmanager
def context(
    *, session: object = None, instance: object = None, turn: object = None, user: object = None
) -> Iterator[None]:
    """Puts the ids that are given on every line logged inside, in this task or thread and what it calls."""
    with structlog.contextvars.bound_contextvars(**_named(session, instance, turn, user)):
        yield


def bind(
    *, session: object = None, instance: object = None, turn: object = None, user: object = None
) -> None:
    """Does the same from here on, for the rest of the request or of the connection that is served."""
    structlog.contextvars.bind_contextvars(**_named(session, instance, turn, user))


def _named(session: object, instance: object, turn: object, user: object) -> dict[str, str]:
    ids = {"session_id": session, "instance_id": instance, "turn_id": turn, "user_id": user}
    return {name: str(value) for name, value in ids.items() if value is not None}


def request_id() -> str:
    """The id of the request that this is done for, as its lines carry it; empty when there is none."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def configure(style: str, level: str) -> dict[str, Any]:
    """Configures structlog and answers Django's LOGGING setting. `style` is `json` or `console`."""
    if style not in {"json", "console"}:
        raise SettingError("OPENAGENT_LOG_FORMAT must be json or console.")
    if level not in logging.getLevelNamesMapping():
        raise SettingError("OPENAGENT_LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL.")
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        # Plain tracebacks: the structured ones write local variables, and those hold keys.
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
        _redact_fields,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            _drop_noise,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return _django_logging(style, level, [structlog.stdlib.ExtraAdder(), *shared])


def _django_logging(style: str, level: str, foreign: list[Processor]) -> dict[str, Any]:
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": RedactingFormatter,
                "foreign_pre_chain": foreign,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "daphne": {"level": "WARNING"},
            # These name every task, several times a minute, for ever; failures are warnings and errors.
            "celery.beat": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "django_structlog.celery.receivers": {"level": "WARNING"},
            "httpx2": {"level": "WARNING"},
        },
    }


class RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """The last gate: whatever the processors let through is masked in the finished line."""

    def format(self, record: logging.LogRecord) -> str:
        return _redactor.text(super().format(record))


def _drop_noise(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """One line for a request, when it has ended; none for a probe that went well."""
    if event.get("event") == "request_started":
        raise structlog.DropEvent
    if event.get("request") in _WATCHED and event.get("code") == 200:
        raise structlog.DropEvent
    return event


def _redact_fields(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Masks while fields still have names; the formatter's own fields (`_record`) pass untouched."""
    return {
        key: item if key.startswith("_") else _redactor.value({key: item})[key] for key, item in event.items()
    }
