"""Registers the keys app with Django."""

from django.apps import AppConfig


class KeysConfig(AppConfig):
    name = "keys_app"
    verbose_name = "Provider keys"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from keys_app import checks  # noqa: F401  # they register themselves
