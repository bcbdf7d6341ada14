"""The drivers, one file per variant; the setting OPENAGENT_DRIVER chooses."""

from __future__ import annotations

import functools

from django.conf import settings
from django.utils.module_loading import import_string

from sessions_app.drivers.base import Driver

DRIVERS = {
    "docker": "sessions_app.drivers.docker.DockerDriver",
    "process": "sessions_app.drivers.process.ProcessDriver",
}
"""Where each driver's class is; tests add their fake."""


def get_driver() -> Driver:
    """The driver of this installation."""
    return _load(settings.OPENAGENT_DRIVER)


@functools.cache
def _load(name: str) -> Driver:
    driver: Driver = import_string(DRIVERS[name])()
    return driver


def forget() -> None:
    """The next `get_driver` makes a new one; for tests, whose fakes remember what was made."""
    _load.cache_clear()
