"""An agent that an administrator has registered: any program in the box that speaks ACP."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

WIRES = ("openai-chat", "openai-responses", "anthropic", "google")


def _command(value: Any) -> None:
    if not isinstance(value, list) or not value or not all(isinstance(word, str) and word for word in value):
        raise ValidationError('The command is a list of words, such as ["my-agent", "--acp"].')


def _environment(value: Any) -> None:
    if not isinstance(value, dict) or not all(
        isinstance(name, str) and isinstance(text, str) for name, text in value.items()
    ):
        raise ValidationError('The environment is an object of texts, such as {"MODEL": "{model}"}.')


def _wires(value: Any) -> None:
    if not isinstance(value, list) or not value or any(wire not in WIRES for wire in value):
        raise ValidationError(f"The APIs are a list of some of: {', '.join(WIRES)}.")


class CustomAgent(models.Model):
    """`command` is found in the box; in `environment`, {gate}, {token}, {model} and {home} are filled in."""

    slug = models.CharField(
        "id",
        primary_key=True,
        max_length=40,
        validators=[RegexValidator(r"\A[a-z][a-z0-9-]*\Z", "Small letters, digits and hyphens.")],
    )
    name = models.CharField(max_length=80)
    command = models.JSONField(
        validators=[_command], help_text='A list of words, such as ["my-agent", "--acp"].'
    )
    environment = models.JSONField(
        default=dict,
        blank=True,
        validators=[_environment],
        help_text="{gate} is where the session's provider is, {token} what is to be sent as its key (it is "
        "worthless: the real one is put in outside of the box), {model} the model, {home} the home folder. "
        "Never put a real key here: programs in the box can read it.",
    )
    wires = models.JSONField(
        "APIs", default=list, validators=[_wires], help_text=f"Which APIs it speaks, of {', '.join(WIRES)}."
    )
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "custom agent"

    def __str__(self) -> str:
        return self.name
