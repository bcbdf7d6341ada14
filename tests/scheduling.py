"""Which worker of pytest runs what: tests that share something costly together, others one by one.

What such tests share is then started once.
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

AGENTS = "tests/contract/agents/"
ARCHITECTURE = "tests/architecture/"
"""Its tests share the sources, parsed."""
END_TO_END = "tests/end_to_end/"
PRODUCTS = {
    "shared": ("test_browser_",),
    # The same product once more, or the browser's worker would be the last by minutes.
    "spoken to": ("test_turn",),
    "drowsy": ("test_agents", "test_idle"),
    "to be broken": (
        "test_bad_input_",
        "test_canary",
        "test_faults",
        "test_repository_files",
        "test_terminals",
    ),
}
"""The products that several files share, and how the names of these files begin."""
ENGINE = ("test_docker", "test_images", "test_choice", "test_volumes")
"""Files that have a container engine make networks: beside a browser, whose requests break off at that."""


def needs_engine(file: str) -> bool:
    """Whether the tests of this file work with a container engine."""
    return file.rpartition("/")[2].startswith(ENGINE)


class Scheduler(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """What holds many tests goes out first, so that the end is many small pieces."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        for folder in (AGENTS, ARCHITECTURE):
            if file.startswith(folder):
                return folder
        if needs_engine(file):
            return "shared"
        if not file.startswith(END_TO_END):
            return nodeid
        name = file.removeprefix(END_TO_END)
        return next((product for product, starts in PRODUCTS.items() if name.startswith(starts)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduler:
    return Scheduler(config, log)
