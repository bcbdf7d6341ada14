"""The Celery application; its configuration and its beat schedule are in the settings."""

import logging.config
import os

from celery import Celery
from celery.signals import setup_logging
from django_structlog.celery.steps import DjangoStructLogInitStep

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
