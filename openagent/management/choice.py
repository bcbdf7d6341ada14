"""Chooses the driver of a run: the one that is set, else the one of this data directory, else the best here.

The first start on a data directory chooses for good, because the sessions' disks are where their driver keeps
them: Docker where an engine answers and our images can be built, else processes in bubblewrap.
"""

from __future__ import annotations

from pathlib import Path

from openagent.lib import env
from openagent.lib.data_dir import DataDir
from openagent.management import images
from openagent.management.images import CannotBuild, Say

DOCKER, PROCESS = "docker", "process"


def driver(data: DataDir, agents: Path, *, say: Say) -> str:
    """The driver, with its images if it needs any. CannotBuild when Docker is set and has no images."""
    wanted = env.text("OPENAGENT_DRIVER", "")
    if wanted:
        if wanted == DOCKER:
            _build(agents, say)
        return wanted
    if data.driver.exists():
        return _go_on(data.chosen_driver, agents, say)
    chosen = _first(data, agents, say)
    data.driver.write_text(f"{chosen}\n")
    return chosen


def _first(data: DataDir, agents: Path, say: Say) -> str:
    if (data.root / "volumes").exists():
        return PROCESS  # Of a version that knew no other.
    try:
        with images.connected():
            say("Docker answers, so every session gets containers of its own.")
        _build(agents, say)
    except images.NoEngine:
        return PROCESS
    except CannotBuild as error:
        say(f"The images for Docker cannot be built: {error}")
        say(
            "Sessions here get bubblewrap instead. For Docker, run `make images`, and start on another "
            "DATA_DIR or with OPENAGENT_DRIVER=docker."
        )
        return PROCESS
    return DOCKER


def _go_on(chosen: str, agents: Path, say: Say) -> str:
    if chosen == DOCKER:
        try:
            _build(agents, say)
        except CannotBuild as error:
            # Reading goes on meanwhile, and sessions do when the cause is gone.
            say(f"The sessions here need Docker, and no new one starts yet: {error}")
    return chosen


def _build(agents: Path, say: Say) -> None:
    with images.connected() as client:
        images.build(client, agents, say=say)
