"""The Celery application; its configuration and its beat schedule are in the settings."""

import contextlib
import logging.config
import os
import time

from celery import Celery
from celery.signals import after_task_publish, beat_init, heartbeat_sent, setup_logging, worker_ready
from django_structlog.celery.steps import DjangoStructLogInitStep

from openagent.lib import data_dir

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "openagent.settings")

app = Celery("openagent")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()


@setup_logging.connect  # type: ignore[untyped-decorator]  # celery is untyped
def use_our_logging(**kwargs: object) -> None:
    """With a receiver here Celery leaves logging alone, so that redaction covers the worker and beat too."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@worker_ready.connect  # type: ignore[untyped-decorator]  # celery is untyped
def say_ready(**kwargs: object) -> None:
    """Tells the one-command run that sessions can start; a worker elsewhere has nobody to tell."""
    with contextlib.suppress(FileNotFoundError):
        data_dir.current().worker_ready.touch()


@heartbeat_sent.connect  # type: ignore[untyped-decorator]  # celery is untyped
def beat_pulse(**kwargs: object) -> None:
    """Says that a worker takes work, or that beat gives some: `manage.py healthy` looks at it."""
    with contextlib.suppress(FileNotFoundError), data_dir.current().pulse.open("r+") as file:
        file.write(f"{time.clock_gettime(time.CLOCK_BOOTTIME):.0f}\n")


@beat_init.connect  # type: ignore[untyped-decorator]  # celery is untyped
def watch_beat(**kwargs: object) -> None:
    """What other processes give to do says nothing about them."""
    after_task_publish.connect(beat_pulse)
