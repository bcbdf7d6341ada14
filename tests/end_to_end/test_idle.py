"""Sessions fall asleep when nobody wants anything of them; a prompt that comes at that moment is not lost."""

from __future__ import annotations

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.end_to_end.client import SECONDS, Client, eventually
from tests.end_to_end.custom_agents import WORKING
from tests.end_to_end.drowsy import IDLE_SECONDS
from tests.end_to_end.replay import replayed
from tests.end_to_end.turns import check_answered

SESSIONS = 2
TRIALS = int(os.environ.get("IDLE_TRIALS", "6"))
"""Each may take the start of an agent; `make soak` makes more."""


def prompt_around_the_reap(url: str, token: str, session: str, *, trials: int, seed: int) -> int:
    """Sends prompts at about the moment when the reaper comes; how often the session had fallen asleep.

    The second one comes for sure before that moment, and the last one after it.
    """
    chance = random.Random(seed)
    client = Client(url, token)
    try:
        sleeps = 0
        for number in range(trials):
            prompt = f"/demo say number {number} of {session}"
            turn = client.prompt(session, prompt)
            client.ended(session, turn)
            check_answered(client, session, prompt, turn)
            if number == trials - 2:
                client.status(session, "asleep")
            elif number > 0:
                # It counts three passes of a second, the first of which comes within a second. The trials
                # are spread over that time, so that some come before it and some after.
                time.sleep(IDLE_SECONDS - 1.5 + 1.8 * (number + chance.random()) / trials)
            sleeps += client.session(session)["status"] != "ready"
    finally:
        client.close()
    return sleeps


@pytest.mark.timeout(120 + 30 * TRIALS)
def test_a_prompt_that_meets_the_reaper_is_answered_once(drowsy: Client) -> None:
    with replayed(drowsy):
        sessions = [drowsy.new_session(agent=WORKING) for _ in range(SESSIONS)]
        with ThreadPoolExecutor(SESSIONS) as pool:
            trials = [
                pool.submit(
                    prompt_around_the_reap,
                    drowsy.url,
                    drowsy.token,
                    session,
                    trials=TRIALS // SESSIONS,
                    seed=seed,
                )
                for seed, session in enumerate(sessions)
            ]
            sleeps = sum(trial.result() for trial in trials)
        assert 0 < sleeps < TRIALS, "the prompts did not come around the reap"
        for session in sessions:
            events = drowsy.events(session)
            kinds = [event["kind"] for event in events]
            assert kinds.count("turn.started") == kinds.count("turn.ended") == TRIALS // SESSIONS
            assert "instance.lost" not in kinds
            told = [event["data"]["status"] for event in events if event["kind"] == "agent.status"]
            assert "stopped" in told, "the agent did not rest before the session fell asleep"
            drowsy.status(session, "asleep")

        def measured() -> list[int]:
            disks = [drowsy.session(session)["disk"] for session in sessions]
            return [disk["bytes"] for disk in disks if disk]

        # Those that fall asleep while another is measured are left to the next pass.
        assert min(eventually(measured, SECONDS, lambda: "no disk was measured")) > 0
