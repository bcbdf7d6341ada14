"""What goes over the wire of keys and providers. A key goes in and never comes out."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from keys_app import providers
from keys_app.models import ProviderKey
from openagent.lib.redact import Secret

LONGEST_LABEL = 80


@extend_schema_field({"type": "string", "format": "password", "writeOnly": True})
class SecretField(serializers.CharField):
    """A text that is a Secret from the moment it is parsed. What is wrong with it, `key_format` says."""

    def __init__(self) -> None:
        super().__init__(write_only=True, trim_whitespace=False)

    def to_internal_value(self, data: Any) -> Any:
        return Secret(super().to_internal_value(data))


class ProviderKeySerializer(serializers.ModelSerializer[ProviderKey]):
    """A key as its owner sees it: never the key, only its last four characters."""

    class Meta:
        model = ProviderKey
        fields = ["id", "provider", "label", "hint", "status", "created_at", "last_used_at"]
        read_only_fields = fields


class NewKeySerializer(serializers.Serializer[ProviderKey]):
    provider = serializers.CharField(max_length=40)
    # Every field has an attribute called label, and the stubs take ours for that one.
    label = serializers.CharField(  # type: ignore[assignment]
        max_length=LONGEST_LABEL, required=False, allow_blank=True
    )
    key = SecretField()


class ReplacedKeySerializer(serializers.Serializer[ProviderKey]):
    key = SecretField()


class KeyLabelSerializer(serializers.Serializer[ProviderKey]):
    label = serializers.CharField(max_length=LONGEST_LABEL, allow_blank=True)  # type: ignore[assignment]


class KeyTestSerializer(serializers.Serializer[Any]):
    """What the provider said. `code` is `ok`, `no_credit`, `refused`, or why nothing is known."""

    code = serializers.CharField()
    message = serializers.CharField()
    key = ProviderKeySerializer()


class ModelSerializer(serializers.Serializer[providers.Model]):
    id = serializers.CharField()
    name = serializers.CharField()


class ProviderSerializer(serializers.Serializer[providers.Provider]):
    """One entry of the catalogue; `has_key` says whether the signed-in user has a key for it."""

    id = serializers.CharField()
    name = serializers.CharField()
    wire = serializers.ChoiceField(choices=["openai-chat", "openai-responses", "anthropic", "google"])
    needs_key = serializers.BooleanField()
    key_hint_format = serializers.CharField(source="key_format")
    key_page = serializers.CharField()
    models = ModelSerializer(many=True)
    custom_base_url = serializers.BooleanField(source="has_custom_base_url")
    has_key = serializers.SerializerMethodField()

    def get_has_key(self, provider: providers.Provider) -> bool:
        return provider.id in self.context["keyed"]
