"""Boxes that flood: the platform's memory stays flat, and the session beside them notices nothing."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from sidecar import demo_model
from tests.end_to_end.client import texts
from tests.end_to_end.custom_agents import WORKING
from tests.end_to_end.instance import Instance
from tests.end_to_end.reader import Reader
from tests.end_to_end.rig import Rig
from tests.end_to_end.turns import check_one_clean_turn, check_shown
from tests.fakes import flooder

SPEECH = "/demo long 200 40ms"
GROWTH_MB = 60
QUIET_SECONDS = 6.0
"""Half of it would be silence already; the rest is for a slow machine that runs other tests too."""


class Watch:
    """Remembers the largest memory of some processes while it is entered."""

    def __init__(self, **pids: int) -> None:
        self._pids = pids
        self.before = {name: resident_mb(pid) for name, pid in pids.items()}
        self.most = dict(self.before)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join(5)

    @property
    def growth(self) -> dict[str, float]:
        return {name: self.most[name] - self.before[name] for name in self._pids}

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            for name, pid in self._pids.items():
                self.most[name] = max(self.most[name], resident_mb(pid))


def resident_mb(pid: int) -> float:
    """The memory that a process holds now; nothing when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next(
        (int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0
    )


FLOODS = [
    pytest.param("yes 'a line that nobody wants to read' | head -c 150000000", id="output of a command"),
    pytest.param("python3 flooder.py", id="files and connections", marks=pytest.mark.variant),
]


@pytest.mark.parametrize("command", FLOODS)
def test_a_flood_is_cut_and_leaves_the_platform_and_others_alone(broken: Rig, command: str) -> None:
    client, other = broken.client, broken.session(WORKING)
    session = client.new_session(**broken.model, mode="auto")
    client.awake(session)
    instance = Instance(broken.product, client, session)
    shutil.copy(flooder.__file__, instance.workspace / "flooder.py")
    web = broken.product.part("web")
    assert web is not None
    watch = Watch(web=web, sidecar=instance.pids["sidecar"])
    with Reader(client, other) as calm, Reader(client, session) as reader, watch:
        calm.wait(lambda reader: reader.is_live)
        flooding = client.prompt(session, f"/demo run {command}")
        speaking = client.prompt(other, SPEECH)
        calm.wait_for_event("turn.started", speaking)
        begun = len(calm.arrivals)
        check_one_clean_turn(client, calm, other, SPEECH, speaking)
        silences = [
            later - at
            for (at, _), (later, _) in zip(calm.arrivals[begun:], calm.arrivals[begun + 1 :], strict=False)
        ]
        assert max(silences) < QUIET_SECONDS
        reader.wait_for_event("turn.ended", flooding, 120)
        ended = client.ended(session, flooding)
        check_shown(client, reader, session)
    assert ended["stop_reason"] == "end_turn", ended
    assert texts(ended) == demo_model.expected_text(f"/demo run {command}")
    (tool,) = (item for item in ended["items"] if item["type"] == "tool")
    assert len(tool["output"]) < 1_000_000
    # Whoever reads it is told that there was more, in words of output-view.tsx.
    assert tool["output_gap"] is True
    assert max(watch.growth.values()) < GROWTH_MB, watch.growth
    assert client.session(session)["status"] == "ready"
