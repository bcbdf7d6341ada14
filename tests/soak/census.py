"""What the rows and the engine of a product say about all its sessions, taken in its own process."""

from __future__ import annotations

from typing import Any

from sessions_app.models import Event, Instance, InstanceState, Prompt, Session
from sessions_app.services import instances, state


def take() -> dict[str, Any]:
    """Plain facts, judged by `tests.soak.checks`."""
    rows = {str(row.pk): row for row in Session.objects.all()}
    live = list(Instance.objects.live())
    unremoved = Instance.objects.unremoved()
    engine = {str(ref["instance_id"]) for ref in instances.list_refs()}
    wanted = {str(row.pk) for row in (*live, *unremoved)}
    made = [row for row in live if row.state == InstanceState.READY]
    spans: dict[str, list[tuple[int, int, int]]] = {name: [] for name in rows}
    for session, *span in Event.objects.order_by("seq").values_list("session", "seq", "seq_end", "gen"):
        spans[str(session)].append((span[0], span[1], span[2]))
    return {
        "last": {name: row.last_seq for name, row in rows.items()},
        "status": {name: str(state.status(row.pk)) for name, row in rows.items()},
        "live": [str(row.session_id) for row in live],
        "strangers": sorted(engine - wanted),
        "ghosts": [str(row.pk) for row in made if not instances.inspect(row).alive],
        "spans": spans,
        "prompts": {str(pk): str(now) for pk, now in Prompt.objects.values_list("pk", "state")},
    }
