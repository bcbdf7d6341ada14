"""The fake driver keeps the promises of real ones, so that tests with it mean something."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sessions_app.drivers.base import DriverError, InstanceSpec, Ref
from tests.contract.drivers.suite import DriverContract
from tests.fakes.driver import FakeDriver


@dataclass
class FakeEngine:
    driver: FakeDriver = field(default_factory=FakeDriver)

    def spec(self, *, volume: str = "", instance: str = "", is_used: bool = False) -> InstanceSpec:
        return InstanceSpec(
            instance_id=instance or str(uuid.uuid4()),
            volume=volume or str(uuid.uuid4()),
            link=Path("/run/link.sock"),
            token="token-CANARY",
            agent="scripted",
            is_used=is_used,
        )

    def end(self, ref: Ref, exit_code: int) -> None:
        self.driver.end(ref["instance_id"], exit_code)

    def lose(self, ref: Ref) -> None:
        self.driver.end(ref["instance_id"], None)

    def put(self, ref: Ref, text: str) -> None:
        self.driver.volumes[ref["volume"]] = text

    def get(self, ref: Ref) -> str:
        return self.driver.volumes[ref["volume"]]

    def is_running(self, ref: Ref) -> bool:
        instance = self.driver.instances.get(ref["instance_id"])
        return instance is not None and instance.state.alive


class TestFakeDriver(DriverContract):
    @pytest.fixture
    def engine(self) -> FakeEngine:
        return FakeEngine()

    def test_it_fails_when_told_to(self, engine: FakeEngine) -> None:
        engine.driver.fail_next(code="disk_full", permanent=True)
        with pytest.raises(DriverError) as caught:
            engine.driver.create(engine.spec())
        assert (caught.value.code, caught.value.permanent) == ("disk_full", True)
        engine.driver.create(engine.spec())
        assert engine.driver.calls == ["create", "create"]
