"""What goes over the wire of accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.utils import timezone
from rest_framework import serializers

from openagent.accounts.models import AccessToken, Scope, User


class SetupStateSerializer(serializers.Serializer[Any]):
    """Whether the first account is still to be made, and whether that needs the code from the terminal."""

    needed = serializers.BooleanField()
    code_required = serializers.BooleanField()


class SetupSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(
        max_length=1000, trim_whitespace=False, write_only=True, style={"input_type": "password"}
    )
    name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    code = serializers.CharField(max_length=200, required=False, allow_blank=True, write_only=True)


class MeSerializer(serializers.ModelSerializer[User]):
    """The signed-in user."""

    name = serializers.CharField(source="get_full_name")
    has_keys = serializers.SerializerMethodField(
        help_text="Whether sessions can use a key for models: an own one, or one that is shared."
    )
    demo_available = serializers.SerializerMethodField()
    version = serializers.SerializerMethodField()
    deleted_kept_seconds = serializers.SerializerMethodField(
        help_text="For so long a deleted session can be restored."
    )

    class Meta:
        model = User
        fields = [
            "id",
            "email",
            "name",
            "is_staff",
            "has_keys",
            "demo_available",
            "version",
            "deleted_kept_seconds",
        ]
        read_only_fields = fields

    def get_has_keys(self, user: User) -> bool:
        return user.provider_keys.model.objects.usable_by(user.pk).of_models().exists()

    def get_demo_available(self, user: User) -> bool:
        return True

    def get_version(self, user: User) -> str:
        return str(settings.OPENAGENT_VERSION)

    def get_deleted_kept_seconds(self, user: User) -> int:
        return int(settings.OPENAGENT_DELETE_GRACE_SECONDS)


class ProfileSerializer(serializers.Serializer[Any]):
    """What somebody may change of their own account."""

    name = serializers.CharField(max_length=150, allow_blank=True, help_text="Empty: the e-mail address.")

    def validate_name(self, value: str) -> str:
        if not value.isprintable():
            raise serializers.ValidationError("A name has no characters that cannot be seen.", "invisible")
        return value


class BrowserSerializer(serializers.Serializer[Any]):
    """A browser in which the user is signed in."""

    id = serializers.CharField()
    name = serializers.CharField(help_text="Such as `Firefox on Linux`: what it says about itself.")
    since = serializers.DateTimeField(allow_null=True)
    seen_at = serializers.DateTimeField(allow_null=True)
    is_current = serializers.BooleanField(help_text="It is the one that asks.")


class BrowserListSerializer(serializers.Serializer[Any]):
    """All of them: they are few."""

    results = BrowserSerializer(many=True)


class GroupSerializer(serializers.ModelSerializer[Group]):
    """A group of users."""

    class Meta:
        model = Group
        fields = ["id", "name"]


class AccessTokenSerializer(serializers.ModelSerializer[AccessToken]):
    """A token as its owner sees it later: everything but the token."""

    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices), read_only=True)
    expires_at = serializers.DateTimeField(source="expiry", read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(source="created", read_only=True)

    class Meta:
        model = AccessToken
        fields = ["id", "name", "scopes", "expires_at", "last_used_at", "created_at"]
        read_only_fields = fields


class MadeAccessTokenSerializer(AccessTokenSerializer):
    """The answer to making a token: the only one that ever carries it."""

    token = serializers.SerializerMethodField()

    class Meta(AccessTokenSerializer.Meta):
        fields = [*AccessTokenSerializer.Meta.fields, "token"]
        read_only_fields = fields

    def get_token(self, token: AccessToken) -> str:
        text: str = self.context["token"].reveal()
        return text


class NewAccessTokenSerializer(serializers.Serializer[AccessToken]):
    """`scopes` without any is `read`. No `expires_at` means a default, null means never."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=Scope.choices), required=False, min_length=1, max_length=3
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True)

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("This is in the past.", "in_the_past")
        return value


class WsTicketSerializer(serializers.Serializer[Any]):
    """A ticket for one socket; send it as the first message."""

    ticket = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")


class ClientErrorSerializer(serializers.Serializer[Any]):
    """An error that a browser met. Longer texts are cut, not refused."""

    message = serializers.CharField(trim_whitespace=False, allow_blank=True)
    stack = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    url = serializers.CharField(required=False, allow_blank=True)
    session = serializers.UUIDField(required=False, allow_null=True)
