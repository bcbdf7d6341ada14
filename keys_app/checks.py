"""System checks of the keys app: a bad setting stops the start, not the first user who needs a key."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from keys_app import keyring, providers


@register()
def keyring_is_usable(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """keys_app.E001, and W001 when it is missing where that is allowed."""
    if not settings.OPENAGENT_KEYS_KEK:
        hint = "Set OPENAGENT_KEYS_KEK or OPENAGENT_KEYS_KEK_FILE, or start with `make up`, which makes one."
        return [Warning("Provider keys cannot be stored without a KEK.", hint=hint, id="keys_app.W001")]
    try:
        keyring.parse(settings.OPENAGENT_KEYS_KEK)
    except keyring.BadKeyring as error:
        return [Error(f"OPENAGENT_KEYS_KEK: {error}", id="keys_app.E001")]
    return []


@register()
def overrides_make_sense(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """keys_app.E002."""
    errors = providers.override_errors(settings.OPENAGENT_PROVIDER_BASE_URLS)
    return [Error(f"OPENAGENT_PROVIDER_BASE_URLS: {error}", id="keys_app.E002") for error in errors]
