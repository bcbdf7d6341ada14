"""System checks of the sessions app: settings that do not go together stop the start, with what to do."""

from __future__ import annotations

import sqlite3
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connection

from openagent.lib import registries
from sessions_app.drivers import DRIVERS
from sessions_app.services import agents, pool, prompts

# A character of two bytes may be written as six, as in \u00e9; the rest of a request is small.
_LONGEST_PROMPT_AS_JSON = 3 * prompts.MAX_BYTES + 64 * 1024


@register()
def driver_is_known(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """sessions_app.E001."""
    if settings.OPENAGENT_DRIVER in DRIVERS:
        return []
    hint = f"Set it to one of: {', '.join(DRIVERS)}."
    return [Error("OPENAGENT_DRIVER names no driver.", hint=hint, id="sessions_app.E001")]


@register()
def prompts_fit_into_requests(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """sessions_app.E002."""
    if settings.DATA_UPLOAD_MAX_MEMORY_SIZE >= _LONGEST_PROMPT_AS_JSON:
        return []
    hint = f"Set it to at least {_LONGEST_PROMPT_AS_JSON}."
    return [
        Error("OPENAGENT_REQUEST_BYTES is too small for a long prompt.", hint=hint, id="sessions_app.E002")
    ]


@register()
def database_can_guard_rows(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """sessions_app.E003: one live instance, one open turn: both are constraints with a condition."""
    if connection.features.supports_partial_indexes:
        return []
    hint = "Set DATABASE_URL to a PostgreSQL or an SQLite database."
    return [Error("This database has no partial indexes.", hint=hint, id="sessions_app.E003")]


@register()
def sqlite_is_new_enough(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """sessions_app.E004: fences are moved by UPDATE ... FROM ... RETURNING."""
    if connection.vendor != "sqlite" or sqlite3.sqlite_version_info >= (3, 35):
        return []
    hint = "Use a Python with a newer one, or set DATABASE_URL to a PostgreSQL database."
    message = f"SQLite {sqlite3.sqlite_version} is too old: 3.35 is needed."
    return [Error(message, hint=hint, id="sessions_app.E004")]


@register()
def pool_has_agents_that_can_wait(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """sessions_app.E005."""
    unfit = [agent_id for agent_id in pool.sizes() if not agents.can_wait(agent_id)]
    if not unfit:
        return []
    hint = "Leave them out: they can only be started for a session."
    message = f"OPENAGENT_POOL names agents that cannot wait for a session: {', '.join(unfit)}."
    return [Error(message, hint=hint, id="sessions_app.E005")]


@register()
def registries_are_read_from_tools_that_we_know(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """sessions_app.E006."""
    unknown = set(settings.OPENAGENT_REGISTRIES_FROM) - set(registries.TOOLS)
    if not unknown:
        return []
    hint = f"Name some of {', '.join(registries.TOOLS)}, or none."
    message = f"OPENAGENT_REGISTRIES_FROM names what cannot be asked: {', '.join(sorted(unknown))}."
    return [Error(message, hint=hint, id="sessions_app.E006")]


@register()
def idle_time_can_be_counted(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """sessions_app.W001."""
    seconds = settings.OPENAGENT_IDLE_PASS_SECONDS
    if seconds <= settings.OPENAGENT_IDLE_SECONDS:
        return []
    hint = f"Idleness is counted in passes of {seconds:g} s, so no session sleeps earlier."
    return [Warning("OPENAGENT_IDLE_SECONDS is shorter than one pass.", hint=hint, id="sessions_app.W001")]
