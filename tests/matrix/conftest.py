"""What the tests of all routes share."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from openagent.accounts.models import User
from tests.matrix.routes import Things, make_things


@pytest.fixture(autouse=True)
def _fresh_throttles() -> None:
    cache.clear()


@pytest.fixture
def things(alice: User) -> Things:
    return make_things(alice)
