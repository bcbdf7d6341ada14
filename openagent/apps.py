"""Registers the project itself with Django, for its management commands and its Celery application."""

from django.apps import AppConfig


class OpenAgentConfig(AppConfig):
    name = "openagent"

    def ready(self) -> None:
        # Tasks declared with shared_task bind to the application that exists when they are first called.
        import openagent.celery
        import openagent.lib.request_id  # noqa: F401  # hears of every request from here on
