"""The rows of provider keys, and the record of everything that was done with them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from keys_app import providers


class KeyStatus(models.TextChoices):
    """What the provider said when the key was last tested."""

    UNTESTED = "untested", "Untested"
    OK = "ok", "Accepted by the provider"
    REFUSED = "refused", "Refused by the provider"


class ProviderKeyQuerySet(models.QuerySet["ProviderKey"]):
    """Filters that say who may see which keys."""

    def owned_by(self, user_id: uuid.UUID) -> ProviderKeyQuerySet:
        """What this user may change."""
        return self.filter(owner_id=user_id)

    def usable_by(self, user_id: uuid.UUID) -> ProviderKeyQuerySet:
        """What sessions of this user may be given: their own, and what administrators share with them."""
        shared = ProviderKey.objects.filter(owner__is_staff=True, owner__is_active=True).filter(
            models.Q(is_for_everyone=True) | models.Q(groups__user=user_id)
        )
        return self.filter(models.Q(owner_id=user_id) | models.Q(pk__in=shared.values("pk")))

    def of_models(self) -> ProviderKeyQuerySet:
        """Without tokens for git."""
        return self.exclude(provider__in=[host.id for host in providers.git_hosts()])


class ProviderKey(models.Model):
    """A user's key for one provider, encrypted; `hint` is all that anybody is shown of it.

    Sessions of others can use it if its owner is an administrator and shares it; none of them can read it.

    The binary fields are an `envelope.Envelope`; only `keys_app.services` writes or opens them. `version`
    counts replacements and is bound into the ciphertext, as are the row, the owner, the provider and the base
    URL, if the owner chose one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="provider_keys"
    )
    provider = models.CharField(max_length=40)
    base_url = models.CharField("own base URL", max_length=300, blank=True)
    label = models.CharField(max_length=80, blank=True)
    hint = models.CharField(max_length=8, blank=True)
    status = models.CharField(max_length=20, choices=KeyStatus.choices, default=KeyStatus.UNTESTED)

    box_consent_at = models.DateTimeField("agreed that it enters boxes", null=True, blank=True)
    box_consent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="agreed by",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    is_for_everyone = models.BooleanField("shared with everyone", default=False)
    groups = models.ManyToManyField(
        "auth.Group", verbose_name="shared with groups", blank=True, related_name="+"
    )

    version = models.PositiveIntegerField(default=1)
    kek_id = models.CharField("KEK id", max_length=16)
    dek_nonce = models.BinaryField(max_length=12)
    wrapped_dek = models.BinaryField()
    nonce = models.BinaryField(max_length=12)
    ciphertext = models.BinaryField()
    commitment = models.BinaryField(max_length=32)

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ProviderKeyQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "provider"], name="provider_key_owner"),
            models.Index(fields=["kek_id"], name="provider_key_kek"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.label or self.hint}".strip()


class KeyAction(models.TextChoices):
    """What can be done with a key."""

    MADE = "made", "Made"
    REPLACED = "replaced", "Replaced"
    RELABELLED = "relabelled", "Given another label"
    DELETED = "deleted", "Deleted"
    TESTED = "tested", "Tested"
    SEALED = "sealed", "Sealed to a sidecar"
    REWRAPPED = "rewrapped", "Wrapped with another KEK"
    SHARED = "shared", "Shared anew"
    CONSENTED = "consented", "Agreed that it enters boxes"


class KeyUse(models.Model):
    """One thing done with a key. It outlives the key, so the key is named by its id without a foreign key.

    `user` is whose session it was sealed for, who need not be its owner.
    """

    key = models.UUIDField("key id", db_index=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="key_uses")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    provider = models.CharField(max_length=40)
    action = models.CharField(max_length=20, choices=KeyAction.choices)
    detail = models.CharField(max_length=120, blank=True)
    session = models.UUIDField("session id", null=True, blank=True)
    generation = models.PositiveIntegerField(null=True, blank=True)
    sidecar_nonce = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["session", "generation"], name="key_use_session")]
        constraints = [
            # A sidecar's nonce opens once, so it is sealed to once.
            models.UniqueConstraint(
                fields=["sidecar_nonce"], condition=~models.Q(sidecar_nonce=""), name="key_use_nonce_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider} key {self.action}"


class Rewrapping(models.Model):
    """One walk over all keys that wraps them with the first KEK; what is left of it the rows of keys say.

    It ends when no key is left that could be wrapped. Counts are of rows, `last_error` is the newest reason
    why one could not be.
    """

    kek_id = models.CharField("KEK id", max_length=16)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    wrapped = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kek_id"], condition=models.Q(ended_at=None), name="one_open_rewrapping"
            )
        ]

    def __str__(self) -> str:
        return f"Rewrapping with {self.kek_id}"
