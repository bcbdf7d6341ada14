"""Registers the accounts app with Django."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "openagent.accounts"
    label = "accounts"
    verbose_name = "Users and tokens"
    default_auto_field = "django.db.models.BigAutoField"
