"""The product that tests of faults share, one for each worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.end_to_end.replay import check_replay, replayed
from tests.end_to_end.rig import Rig, rig
from tests.product import Product


@pytest.fixture(scope="session")
def faulty(kind: type[Product]) -> Iterator[Rig]:
    """Another product, to be broken: its link goes through a proxy, its models are a provider of ours."""
    with rig(kind) as made:
        yield made


@pytest.fixture
def broken(faulty: Rig) -> Iterator[Rig]:
    """The product to be broken, whole at the beginning; afterwards it is whole again and its logs replay."""
    faulty.wait_until_whole()
    with replayed(faulty.client):
        yield faulty
        faulty.wait_until_whole()
        for session in faulty.sessions:
            check_replay(faulty.client, session)
