"""Keys that an administrator shares: with everyone or with groups, to be used and not to be read."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from keys_app import logins, providers, record
from keys_app.models import KeyAction, ProviderKey
from openagent.lib.errors import AppError


class NotAnAdministrator(AppError):
    """Only administrators share keys."""

    def __init__(self) -> None:
        super().__init__("not_an_administrator", "Only administrators share keys.", 403)


class UnknownGroup(AppError):
    """There is no group of this name."""

    def __init__(self) -> None:
        message = "There is no such group; an administrator makes them in the admin."
        error = {"message": message, "code": "unknown_group"}
        super().__init__("unknown_group", message, 400, errors={"groups": [error]})


def named(names: Collection[str]) -> list[Group]:
    """The groups with these names, or UnknownGroup."""
    groups = list(Group.objects.filter(name__in=names).order_by("name"))
    if len(groups) != len(set(names)):
        raise UnknownGroup()
    return groups


@transaction.atomic
def share(key: ProviderKey, *, everyone: bool, groups: Collection[Group]) -> ProviderKey:
    """From now on sessions of these users, and the owner's, may use the key, and no others.

    Whoever used it and may not any more loses it: live links are looked at every 2 s. NotAnAdministrator,
    or NotShareable, but to share with nobody any more.
    """
    if (everyone or groups) and providers.get(key.provider).login:
        raise logins.NotShareable()
    if (everyone or groups) and not key.owner.is_staff:
        raise NotAnAdministrator()
    # The row itself too, so that whoever changes it at the same moment comes before or after.
    ProviderKey.objects.filter(pk=key.pk).update(is_for_everyone=everyone, updated_at=timezone.now())
    key.groups.set(groups)
    key.refresh_from_db()
    names = ["everyone"] if everyone else []
    names += [group.name for group in groups]
    record.write(key, KeyAction.SHARED, detail=", ".join(names)[:120] or "nobody")
    return key
