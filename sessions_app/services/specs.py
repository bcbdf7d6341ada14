"""What an instance is made from, and the token that its sidecar shows."""

from __future__ import annotations

import hashlib
import hmac
import uuid

from django.conf import settings

from sessions_app.drivers.base import InstanceSpec
from sessions_app.services import agents
from sessions_app.services.registries import environment as registry_environment


def token_for(instance_id: uuid.UUID) -> str:
    """What a sidecar shows to prove that it is this instance's."""
    return hmac.new(
        settings.SECRET_KEY.encode(), b"link-token|" + instance_id.bytes, hashlib.sha256
    ).hexdigest()


def make(instance_id: uuid.UUID, volume: str, agent: str, *, is_used: bool = False) -> InstanceSpec:
    """What a driver is given; `is_used` as it says."""
    return InstanceSpec(
        instance_id=str(instance_id),
        volume=volume,
        link=settings.OPENAGENT_LINK_SOCKET,
        token=token_for(instance_id),
        is_used=is_used,
        agent=agent if agents.is_built_in(agent) else "",
        silence_seconds=settings.OPENAGENT_PROVIDER_SILENCE_SECONDS,
        registries=registry_environment(),
    )
