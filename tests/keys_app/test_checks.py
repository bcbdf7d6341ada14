"""A setting that cannot work stops the start."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.core.checks import run_checks

from keys_app import keyring


def ids() -> set[str]:
    return {str(message.id) for message in run_checks() if str(message.id).startswith("keys_app.")}


def test_the_settings_of_the_tests_are_in_order() -> None:
    assert ids() == set()


@pytest.mark.parametrize(("kek", "expected"), [("", "keys_app.W001"), ("canary", "keys_app.E001")])
def test_a_missing_or_broken_kek_is_found(settings: LazySettings, kek: str, expected: str) -> None:
    settings.OPENAGENT_KEYS_KEK = kek
    assert ids() == {expected}
    assert "canary" not in repr(run_checks())


def test_several_keks_are_in_order(settings: LazySettings) -> None:
    settings.OPENAGENT_KEYS_KEK = f"{keyring.generate()} {keyring.generate()}"
    assert ids() == set()


def test_a_senseless_base_url_is_found(settings: LazySettings) -> None:
    settings.OPENAGENT_PROVIDER_BASE_URLS = {"openai": "nonsense"}
    assert ids() == {"keys_app.E002"}
