"""Which driver a run gets: chosen once per data directory, and told when it is not the better one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from openagent.lib.data_dir import DataDir
from openagent.management import choice, images


@dataclass
class Engine:
    """Stands for the engine; `build_fails` and `is_away` spoil it."""

    is_away: bool = False
    build_fails: bool = False
    builds: int = 0
    said: list[str] = field(default_factory=list)

    @contextmanager
    def connected(self) -> Iterator[None]:
        if self.is_away:
            raise images.NoEngine("no container engine answers")
        yield

    def build(self, client: object, agents: Path, *, say: images.Say) -> dict[str, str]:
        if self.build_fails:
            raise images.CannotBuild("the disk is full")
        self.builds += 1
        return {}

    def choose(self, data: DataDir) -> str:
        return choice.driver(data, data.agents, say=self.said.append)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr(images, "connected", made.connected)
    monkeypatch.setattr(images, "build", made.build)
    monkeypatch.delenv("OPENAGENT_DRIVER", raising=False)
    return made


def test_docker_is_chosen_where_it_answers_and_stays_chosen(engine: Engine, tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    assert engine.choose(data) == "docker"
    assert engine.builds == 1
    engine.is_away = True
    assert engine.choose(data) == "docker"
    assert data.chosen_driver == "docker"
    assert "no new one starts yet" in engine.said[-1]


def test_without_an_engine_it_is_processes_also_when_one_comes_later(engine: Engine, tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    engine.is_away = True
    assert engine.choose(data) == "process"
    assert engine.said == []
    engine.is_away = False
    assert engine.choose(data) == "process"
    assert engine.builds == 0


def test_images_that_cannot_be_built_are_told(engine: Engine, tmp_path: Path) -> None:
    engine.build_fails = True
    assert engine.choose(DataDir(tmp_path)) == "process"
    assert any("the disk is full" in line for line in engine.said)
    assert any("bubblewrap instead" in line for line in engine.said)


def test_older_sessions_keep_the_driver_that_made_them(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "volumes").mkdir()
    assert engine.choose(DataDir(tmp_path)) == "process"


def test_what_is_set_counts_and_is_not_remembered(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = DataDir(tmp_path)
    monkeypatch.setenv("OPENAGENT_DRIVER", "process")
    assert engine.choose(data) == "process"
    assert not data.driver.exists()
    monkeypatch.setenv("OPENAGENT_DRIVER", "docker")
    engine.build_fails = True
    with pytest.raises(images.CannotBuild):
        engine.choose(data)
