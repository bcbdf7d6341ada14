"""A process driver on a data directory of its own, whose sidecars do what the test says."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from sessions_app.drivers import process_runtime
from sessions_app.drivers.base import InstanceSpec, Ref
from sessions_app.drivers.limits import Limits
from sessions_app.drivers.process import ProcessDriver
from sessions_app.drivers.process_options import Options
from tests.fakes import bubblewrap, probe_sidecar
from tests.fakes.probe_link import Probe, ProbeLink


@dataclass
class Host:
    """A process driver, and the platform's end of its links."""

    options: Options
    driver: ProcessDriver
    link: ProbeLink

    def spec(
        self, *, volume: str = "", instance: str = "", registries: Mapping[str, str] | None = None
    ) -> InstanceSpec:
        return InstanceSpec(
            instance_id=instance or str(uuid.uuid4()),
            volume=volume or str(uuid.uuid4()),
            link=self.link.path,
            token="token-CANARY-0123456789",
            agent="scripted",
            registries=registries or {},
        )

    def start(self, *, volume: str = "", registries: Mapping[str, str] | None = None) -> tuple[Ref, Probe]:
        """A new instance, with its box connected."""
        ref = self.driver.create(self.spec(volume=volume, registries=registries))
        try:
            return ref, self.link.accept().ready()
        except (OSError, ValueError) as error:
            raise AssertionError(f"{self.driver.inspect(ref)}\n{self.driver.logs(ref, 20)}") from error

    def be_patient(self) -> None:
        """From here on a sidecar has the time to flush, however busy the machine is."""
        self.driver = self.with_options(grace_seconds=60.0)

    def with_options(self, **changes: object) -> ProcessDriver:
        return ProcessDriver(dataclasses.replace(self.options, **changes))  # type: ignore[arg-type]

    def clean_up(self) -> None:
        for ref in self.driver.list():
            self.driver.remove(ref)
        self.link.close()


@pytest.fixture
def data() -> Iterator[Path]:
    """Not in pytest's own folder, which other users cannot enter, and short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="oa-"))
    folder.chmod(0o711)
    yield folder
    subprocess.run(["/bin/rm", "-rf", str(folder)], check=True)


@pytest.fixture
def umask() -> Iterator[None]:
    """As strict as it gets."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What runs inside of instances, made once; each data directory of a test gets a copy."""
    folder = tmp_path_factory.mktemp("staged")
    (folder / "runtime").mkdir()
    process_runtime.stage(probe_sidecar.package(folder / "checkout"), folder / "runtime")
    return folder / "runtime"


@pytest.fixture
def options(data: Path, staged: Path, umask: None) -> Options:
    """Made as `make up` makes it."""
    agents = data / "agents"
    (agents / "scripted").mkdir(parents=True)
    shutil.copy("/bin/true", agents / "scripted" / "program")
    for path in (agents, agents / "scripted", agents / "scripted" / "program"):
        path.chmod(0o755)
    (data / "run").mkdir()
    (data / "run").chmod(0o711)
    options = Options(
        data=data,
        agents=agents,
        sidecar=probe_sidecar.package(data / "checkout"),
        limits=Limits(memory_mb=512, processes=200, tmp_mb=16, file_mb=64),
        grace_seconds=2.0,
    )
    subprocess.run(["cp", "-a", str(staged), str(options.runtime)], check=True)
    return options


@pytest.fixture
def host(options: Options) -> Iterator[Host]:
    bubblewrap.require()
    started = Host(options, ProcessDriver(options), ProbeLink(options.data / "run" / "link.sock"))
    yield started
    started.clean_up()


class Until(Protocol):
    """Waits until something is so."""

    def __call__(self, condition: Callable[[], bool], seconds: float = 60.0) -> None: ...


@pytest.fixture
def until() -> Until:
    def wait(condition: Callable[[], bool], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not become so in time"
            time.sleep(0.02)

    return wait
