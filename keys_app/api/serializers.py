"""What goes over the wire of keys and providers. A key goes in and never comes out."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from keys_app import addresses, providers
from keys_app.models import KeyUse, ProviderKey
from openagent.lib.redact import Secret

LONGEST_LABEL = 80


@extend_schema_field({"type": "string", "format": "password", "writeOnly": True})
class SecretField(serializers.CharField):
    """A text that is a Secret from the moment it is parsed. What is wrong with it, `key_format` says."""

    def __init__(self, **options: Any) -> None:
        super().__init__(write_only=True, trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> Any:
        return Secret(super().to_internal_value(data))


class BaseUrlField(serializers.CharField):
    """Where a key is used, for providers that leave that to its owner; `addresses` judges it."""

    def __init__(self) -> None:
        super().__init__(max_length=addresses.LONGEST, required=False, allow_blank=True)


class SharingSerializer(serializers.Serializer[ProviderKey]):
    """With whom an administrator shares a key: everyone, or the members of groups, by name."""

    everyone = serializers.BooleanField(source="is_for_everyone")
    groups = serializers.SerializerMethodField()

    def get_groups(self, key: ProviderKey) -> list[str]:
        return sorted(group.name for group in key.groups.all())


class NewSharingSerializer(serializers.Serializer[ProviderKey]):
    everyone = serializers.BooleanField(default=False)
    groups = serializers.ListField(child=serializers.CharField(max_length=150), max_length=100, default=list)


class KeyUseSerializer(serializers.ModelSerializer[KeyUse]):
    """One thing done with a key. `user` is whose session used it; the session is named if it is yours."""

    user = serializers.CharField(source="user.email", default=None, allow_null=True)
    session = serializers.SerializerMethodField()

    class Meta:
        model = KeyUse
        fields = ["at", "action", "detail", "user", "session", "generation"]
        read_only_fields = fields

    def get_session(self, use: KeyUse) -> uuid.UUID | None:
        return use.session if use.user_id in (None, use.owner_id) else None


class ProviderKeySerializer(serializers.ModelSerializer[ProviderKey]):
    """A key as whoever may use it sees it: never the key, only its last four characters.

    Of one that an administrator shares (`is_shared_with_me`) users see no more than what it is.
    """

    is_shared_with_me = serializers.SerializerMethodField()
    sharing = serializers.SerializerMethodField()

    class Meta:
        model = ProviderKey
        fields = [
            *("id", "provider", "base_url", "label", "hint", "status", "created_at", "last_used_at"),
            *("is_shared_with_me", "sharing", "box_consent_at"),
        ]
        read_only_fields = fields

    def get_is_shared_with_me(self, key: ProviderKey) -> bool:
        return bool(key.owner_id != self.context["request"].user.pk)

    @extend_schema_field(SharingSerializer(allow_null=True))
    def get_sharing(self, key: ProviderKey) -> Any:
        return None if self.get_is_shared_with_me(key) else SharingSerializer(key).data

    def to_representation(self, instance: ProviderKey) -> dict[str, Any]:
        shown = super().to_representation(instance)
        if shown["is_shared_with_me"]:
            shown |= {"base_url": "", "last_used_at": None}
        return shown


class NewKeySerializer(serializers.Serializer[ProviderKey]):
    provider = serializers.CharField(max_length=40)
    # Every field has an attribute called label, and the stubs take ours for that one.
    label = serializers.CharField(  # type: ignore[assignment]
        max_length=LONGEST_LABEL, required=False, allow_blank=True
    )
    base_url = BaseUrlField()
    key = SecretField()
    agrees_to_box = serializers.BooleanField(
        required=False, help_text="Required of a provider with `enters_box`: who adds the key agrees to that."
    )


class ReplacedKeySerializer(serializers.Serializer[ProviderKey]):
    """Without `base_url` the key is used where the one before it was."""

    base_url = BaseUrlField()
    key = SecretField()


class ChangedKeySerializer(serializers.Serializer[ProviderKey]):
    """The label alone, or another `base_url` and with it the key, pasted once more."""

    label = serializers.CharField(  # type: ignore[assignment]
        max_length=LONGEST_LABEL, required=False, allow_blank=True
    )
    base_url = BaseUrlField()
    key = SecretField(required=False)


class KeyTestSerializer(serializers.Serializer[Any]):
    """What the provider said. `code` is `ok`, `no_credit`, `refused`, or why nothing is known."""

    code = serializers.CharField()
    message = serializers.CharField()
    key = ProviderKeySerializer()


class ModelSerializer(serializers.Serializer[providers.Model]):
    id = serializers.CharField()
    name = serializers.CharField()


class ProviderSerializer(serializers.Serializer[providers.Provider]):
    """One entry of the catalogue; `has_key` says whether the signed-in user has a key for it.

    Keys of the kind `git` are tokens for repositories: there are no models.
    """

    id = serializers.CharField()
    name = serializers.CharField()
    wire = serializers.ChoiceField(choices=["openai-chat", "openai-responses", "anthropic", "google", "git"])
    kind = serializers.ChoiceField(choices=["models", "git"])
    needs_key = serializers.BooleanField()
    key_hint_format = serializers.CharField(source="key_format")
    key_page = serializers.CharField()
    models = ModelSerializer(many=True)
    custom_base_url = serializers.BooleanField(source="has_custom_base_url")
    address = serializers.ChoiceField(choices=["fixed", "optional", "required"], source="wants_address")
    address_example = serializers.CharField()
    note = serializers.CharField()
    agents = serializers.ListField(
        child=serializers.CharField(), help_text="The only agents that may use it; empty for any."
    )
    enters_box = serializers.BooleanField(
        help_text="Whether its key works inside of the box only, where whatever runs there can read it."
    )
    has_key = serializers.SerializerMethodField()

    def get_has_key(self, provider: providers.Provider) -> bool:
        return provider.id in self.context["keyed"]
