"""The promises of `Driver` as tests. A module per driver inherits them and says how such a driver is made."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import pytest

from sessions_app.drivers.base import Driver, DriverError, InstanceSpec, Ref

_LONG = "x" * 60_000


class Engine(Protocol):
    """A driver, and what can be done behind its back."""

    @property
    def driver(self) -> Driver: ...

    def spec(self, *, volume: str = "", instance: str = "", is_used: bool = False) -> InstanceSpec:
        """What an instance is made from, with new names where none are given."""

    def end(self, ref: Ref, exit_code: int) -> None:
        """Let the sidecar end by itself; returns when the driver can know it."""

    def lose(self, ref: Ref) -> None:
        """End the instance as a restart of its host does: nobody says how."""

    def put(self, ref: Ref, text: str) -> None:
        """Write something on the instance's volume."""

    def get(self, ref: Ref) -> str:
        """Read it from the instance's volume; empty when there is nothing."""

    def is_running(self, ref: Ref) -> bool:
        """Whether anything of it runs, whatever the driver says."""


def code_of(error: pytest.ExceptionInfo[DriverError]) -> tuple[str, bool]:
    return error.value.code, error.value.permanent


class DriverContract:
    """`engine` is empty at first, and cleans up behind itself."""

    def test_what_is_created_is_alive_and_listed(self, engine: Engine) -> None:
        spec = engine.spec()
        ref = engine.driver.create(spec)
        assert ref["instance_id"] == spec.instance_id
        assert engine.driver.list() == [ref]
        state = engine.driver.inspect(ref)
        assert (state.alive, state.exit_code) == (True, None)
        assert state.detail
        assert engine.is_running(ref)

    def test_a_maker_hears_of_each_stage_once(self, engine: Engine) -> None:
        spec, stages = engine.spec(), list[str]()
        ref = engine.driver.create(spec, stages.append)
        assert stages == ["image", "volume"]
        assert engine.driver.create(spec, stages.append) == ref
        assert stages == ["image", "volume"]

    def test_a_reference_holds_no_secret(self, engine: Engine) -> None:
        spec = engine.spec()
        assert spec.token not in repr(engine.driver.create(spec))
        assert spec.token not in repr(spec)

    def test_creating_again_answers_the_same(self, engine: Engine) -> None:
        spec = engine.spec()
        assert engine.driver.create(spec) == engine.driver.create(spec)
        assert len(engine.driver.list()) == 1

    def test_creating_it_many_times_at_once_makes_one(self, engine: Engine) -> None:
        spec = engine.spec()
        with ThreadPoolExecutor(5) as pool:
            refs = list(pool.map(engine.driver.create, [spec] * 5))
        assert all(ref == refs[0] for ref in refs)
        assert engine.driver.list() == [refs[0]]

    def test_an_instance_that_ended_stays_ended(self, engine: Engine) -> None:
        spec = engine.spec()
        ref = engine.driver.create(spec)
        engine.end(ref, 5)
        for state in (engine.driver.inspect(ref), engine.driver.inspect(engine.driver.create(spec))):
            assert (state.alive, state.exit_code) == (False, 5)
            assert state.detail
        assert engine.driver.list() == [ref]
        assert not engine.is_running(ref)

    def test_a_lost_instance_is_not_alive_and_has_no_exit_code(self, engine: Engine) -> None:
        ref = engine.driver.create(engine.spec())
        engine.lose(ref)
        state = engine.driver.inspect(ref)
        assert (state.alive, state.exit_code) == (False, None)
        engine.driver.remove(ref)
        assert engine.driver.list() == []

    def test_removal_ends_it_and_may_be_repeated(self, engine: Engine) -> None:
        ref = engine.driver.create(engine.spec())
        engine.driver.remove(ref)
        assert not engine.is_running(ref)
        assert not engine.driver.inspect(ref).alive
        assert engine.driver.list() == []
        engine.driver.remove(ref)

    def test_what_never_was_is_not_alive_and_removed_already(self, engine: Engine) -> None:
        ref = {"instance_id": str(uuid.uuid4())}
        assert not engine.driver.inspect(ref).alive
        engine.driver.remove(ref)
        assert engine.driver.logs(ref, 10) == ""
        assert engine.driver.list() == []

    def test_a_volume_has_one_instance_at_a_time(self, engine: Engine) -> None:
        ref = engine.driver.create(engine.spec(volume="disk"))
        with pytest.raises(DriverError) as caught:
            engine.driver.create(engine.spec(volume="disk"))
        assert code_of(caught) == ("volume_busy", False)
        assert engine.driver.list() == [ref]
        assert engine.driver.inspect(ref).alive
        engine.driver.remove(ref)
        engine.driver.create(engine.spec(volume="disk"))

    def test_removing_an_older_instance_leaves_the_newer_alone(self, engine: Engine) -> None:
        older = engine.driver.create(engine.spec(volume="disk"))
        engine.end(older, 0)
        newer = engine.driver.create(engine.spec(volume="disk"))
        engine.driver.remove(older)
        assert engine.driver.list() == [newer]
        assert engine.driver.inspect(newer).alive and engine.is_running(newer)

    def test_the_volume_outlives_its_instances(self, engine: Engine) -> None:
        ref = engine.driver.create(engine.spec(volume="disk"))
        engine.put(ref, "kept")
        engine.driver.remove(ref)
        assert engine.get(engine.driver.create(engine.spec(volume="disk"))) == "kept"

    def test_what_a_volume_takes_is_told_while_it_lives_and_when_it_rests(self, engine: Engine) -> None:
        assert engine.driver.volume_bytes("disk") is None
        empty, full = engine.driver.create(engine.spec()), engine.driver.create(engine.spec(volume="disk"))
        engine.put(empty, "x")
        engine.put(full, _LONG)
        for _ in range(2):
            taken, little = engine.driver.volume_bytes("disk"), engine.driver.volume_bytes(empty["volume"])
            assert taken is not None and little is not None
            assert len(_LONG) <= taken < little + 2 * len(_LONG)
            assert engine.driver.volume_limit("disk") is None
            engine.driver.remove(full)
        assert engine.driver.list() == [empty]
        engine.driver.remove_volume("disk")
        assert engine.driver.volume_bytes("disk") is None

    def test_no_empty_volume_takes_the_place_of_one_that_was_used(self, engine: Engine) -> None:
        first = engine.driver.create(engine.spec(volume="disk"))
        engine.driver.remove(first)
        engine.driver.remove(engine.driver.create(engine.spec(volume="disk", is_used=True)))
        engine.driver.remove_volume("disk")
        with pytest.raises(DriverError, match="Restore it from a backup") as caught:
            engine.driver.create(engine.spec(volume="disk", is_used=True))
        assert code_of(caught) == ("volume_gone", True)
        assert engine.driver.list() == []

    def test_instances_do_not_touch_each_other(self, engine: Engine) -> None:
        first, second = engine.driver.create(engine.spec()), engine.driver.create(engine.spec())
        engine.put(first, "mine")
        assert engine.get(second) == ""
        engine.driver.remove(first)
        assert engine.driver.inspect(second).alive and engine.is_running(second)
        assert engine.driver.list() == [second]

    def test_a_volume_is_deleted_only_when_nothing_uses_it(self, engine: Engine) -> None:
        ref = engine.driver.create(engine.spec(volume="disk"))
        engine.put(ref, "gone")
        for _ in range(2):
            with pytest.raises(DriverError) as caught:
                engine.driver.remove_volume("disk")
            assert code_of(caught) == ("volume_busy", False)
            if engine.driver.inspect(ref).alive:
                engine.end(ref, 0)
        engine.driver.remove(ref)
        engine.driver.remove_volume("disk")
        engine.driver.remove_volume("disk")
        assert engine.get(engine.driver.create(engine.spec(volume="disk"))) == ""

    @pytest.mark.parametrize("name", ["", "..", "a/b", "/etc", "a" * 65, "a\nb", "-rf"])
    def test_a_name_that_is_a_path_is_refused(self, engine: Engine, name: str) -> None:
        for call in (
            lambda: engine.driver.create(engine.spec(instance=name or "..")),
            lambda: engine.driver.create(engine.spec(volume=name or "..")),
            lambda: engine.driver.volume_bytes(name),
            lambda: engine.driver.remove_volume(name),
        ):
            with pytest.raises(DriverError) as caught:
                call()
            assert code_of(caught) == ("wrong_name", True)
        assert engine.driver.list() == []
