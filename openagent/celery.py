"""The Celery application; its configuration and its beat schedule are in the settings."""

import contextlib
import logging.config
import os

from celery import Celery
from celery.signals import setup_logging, worker_ready
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
