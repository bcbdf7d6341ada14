"""A setting that cannot work stops the start."""

from __future__ import annotations

import importlib

from django.conf import LazySettings
from django.conf import settings as project
from django.core.checks import run_checks
from django.db import connection
from pytest import MonkeyPatch


def ids() -> set[str]:
    return {str(message.id) for message in run_checks() if str(message.id).startswith("sessions_app.")}


def test_the_settings_of_the_tests_are_in_order() -> None:
    assert ids() == set()


def test_an_unknown_driver_is_found(settings: LazySettings) -> None:
    settings.OPENAGENT_DRIVER = "balloon"
    assert ids() == {"sessions_app.E001"}


def test_requests_that_are_too_small_for_a_prompt_are_found(settings: LazySettings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 300 * 1024
    assert ids() == {"sessions_app.E002"}


def test_a_database_that_cannot_guard_rows_is_found(monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(connection.features, "supports_partial_indexes", False)
    assert "sessions_app.E003" in ids()


def test_an_sqlite_that_is_too_old_is_found(monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 34, 1))
    assert ids() == ({"sessions_app.E004"} if connection.vendor == "sqlite" else set())


def test_a_pool_of_agents_that_cannot_wait_is_found(settings: LazySettings) -> None:
    settings.OPENAGENT_POOL = {"opencode": 1}
    assert ids() == set()
    settings.OPENAGENT_POOL = {"opencode": 1, "claude": 1}
    assert ids() == {"sessions_app.E005"}


def test_a_tool_that_has_no_registries_is_found(settings: LazySettings) -> None:
    settings.OPENAGENT_REGISTRIES_FROM = ["pip", "cargo"]
    assert ids() == {"sessions_app.E006"}


def test_an_idle_time_that_cannot_be_counted_is_found(settings: LazySettings) -> None:
    settings.OPENAGENT_IDLE_SECONDS = 0.5
    assert ids() == {"sessions_app.W001"}


def test_the_beat_schedule_names_tasks_that_exist_and_counts_as_the_reaper_does() -> None:
    schedule = project.CELERY_BEAT_SCHEDULE
    for entry in schedule.values():
        module, _, name = str(entry["task"]).rpartition(".")
        assert hasattr(importlib.import_module(module), name)
    assert schedule["reap_idle"]["schedule"] == project.OPENAGENT_IDLE_PASS_SECONDS
