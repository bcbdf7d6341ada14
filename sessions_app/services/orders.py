"""What an instance is told first: whose it is, and what its agent works with."""

from __future__ import annotations

from django.conf import settings

from keys_app import providers
from keys_app import services as keys
from sessions_app.models import Session
from sessions_app.services import agents, budgets, repositories
from sidecar.protocol import frames
from sidecar.protocol.egress import Egress


def claim(session: Session, reach: Egress) -> frames.SessionClaim:
    """The order that gives a session to its instance."""
    agent = agents.find(session.agent)
    provider = providers.get(session.provider)
    own = keys.address_of(owner_id=session.owner_id, provider=provider.id, key_id=session.key_id)
    return frames.SessionClaim(
        session=str(session.pk),
        gen=session.generation,
        next_seq=session.last_seq + 1,
        agent=session.agent,
        model=session.model,
        provider=agent.provider(provider, own) if agent else provider.frame(own),
        mode=session.mode,
        driver=settings.OPENAGENT_DRIVER,
        command=agent.command if agent else None,
        egress=reach,
        budgeted=budgets.binds_calls(session),
        repositories=repositories.of(session),
    )
