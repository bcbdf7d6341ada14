"""Which worker of pytest runs what: files of end-to-end tests whole, those of agents too, others one by one.

What such tests share, as a browser, a product or an agent of their own, is then started once.
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

AGENTS = "tests/contract/agents/"


class Scheduler(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Files with several tests go out first, so that the end is many small pieces."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        if file.startswith(AGENTS):
            return AGENTS
        return file if file.startswith("tests/end_to_end/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduler:
    return Scheduler(config, log)
