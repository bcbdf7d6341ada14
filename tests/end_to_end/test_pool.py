"""A new session finds a real OpenCode that is there already, and keeps the disk that it came with."""

from __future__ import annotations

import pytest

from sessions_app.services import pool
from tests import needs
from tests.end_to_end.client import first_run
from tests.end_to_end.pool import wait_for_member
from tests.end_to_end.replay import replayed
from tests.end_to_end.turns import check_answered
from tests.product import running


# That OpenCode can wait for whoever comes, and all around it, is shown without a product, too.
@pytest.mark.variant
@pytest.mark.timeout(300)
def test_a_session_claims_an_agent_that_waits_and_wakes_again_on_its_disk() -> None:
    needs.bubblewrap()
    needs.opencode()
    with running(OPENAGENT_DRIVER="process", OPENAGENT_POOL="opencode=1") as product:
        client = first_run(product.url)
        wait_for_member(product.url)
        with replayed(client):
            session = client.new_session(mode="auto")
            turn = client.prompt(session, "/demo work")
            check_answered(client, session, "/demo work", turn)
            stages = client.session(session)["instance"]["stages"]
            assert [stage["name"] for stage in stages] == ["requested", *pool.STAGES, "ready"]
            client.post(f"/sessions/{session}/stop/")
            client.status(session, "asleep")
            again = client.prompt(session, "/demo say I am back")
            client.ended(session, again)
            check_answered(client, session, "/demo say I am back", again)
            files = client.get(f"/sessions/{session}/files/")
            assert "hello.txt" in [entry["name"] for entry in files["entries"]]
            started = [event for event in client.events(session) if event["kind"] == "instance.started"]
            assert [event["data"].get("resumed", False) for event in started] == [False, True]
        wait_for_member(product.url)
        client.close()
