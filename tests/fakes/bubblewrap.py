"""Whether tests that need bubblewrap can run here; where they must, its absence is a failure."""

from __future__ import annotations

import os
import shutil

import pytest


def require() -> None:
    """Skip the test without bubblewrap, or fail it where OPENAGENT_REQUIRE_BUBBLEWRAP is 1."""
    if shutil.which("bwrap") is None:
        if os.environ.get("OPENAGENT_REQUIRE_BUBBLEWRAP") == "1":
            pytest.fail("bubblewrap is not installed")
        pytest.skip("bubblewrap is not installed")
