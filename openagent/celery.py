"""The Celery application; its configuration and its beat schedule are in the settings."""

from celery import Celery

app = Celery("openagent")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
