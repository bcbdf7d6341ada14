"""What becomes of a prompt that was sent when its instance goes."""

from __future__ import annotations

import uuid

from sessions_app.models import Instance, Session
from sessions_app.services import ingest, lifecycle, prompts
from tests.sessions_app.services.conftest import Sidecar


def test_a_prompt_that_was_stopped_before_it_began_never_runs(session: Session, sidecar: Sidecar) -> None:
    prompt, _ = prompts.submit(session=session, author=session.owner, prompt_id=uuid.uuid4(), text="go")
    sidecar.get_ready()
    lifecycle.lose(instance_id=sidecar.instance.pk, reason="ended", message="")
    prompts.interrupt(session=session, turn=prompt.pk)
    successor = Instance.objects.live().get(session=session)
    ingest.salvage(successor=successor, gen=1, salvaged=[], done=True)
    prompt.refresh_from_db()
    assert prompt.state == "cancelled"
