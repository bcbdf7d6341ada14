"""The process driver keeps the promises of drivers, with real sidecars and boxes in bubblewrap."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field, replace

import pytest

from sessions_app.drivers.base import InstanceSpec, Ref
from sessions_app.drivers.process import ProcessDriver
from sessions_app.drivers.process_records import Process, Record
from tests.contract.drivers.suite import DriverContract
from tests.fakes.probe_link import Probe
from tests.sessions_app.drivers.conftest import Host, Until, data, host, options, staged, umask, until

__all__ = ["data", "host", "options", "staged", "umask", "until"]


@dataclass
class ProcessEngine:
    host: Host
    until: Until
    probes: dict[str, Probe] = field(default_factory=dict)
    processes: dict[str, list[Process]] = field(default_factory=dict)

    @property
    def driver(self) -> ProcessDriver:
        return self.host.driver

    def spec(self, *, volume: str = "", instance: str = "", is_used: bool = False) -> InstanceSpec:
        return replace(self.host.spec(volume=volume, instance=instance), is_used=is_used)

    def end(self, ref: Ref, exit_code: int) -> None:
        self._probe(ref).exit(exit_code)
        self.until(lambda: not self.driver.inspect(ref).alive)
        self.until(lambda: not self.is_running(ref))

    def lose(self, ref: Ref) -> None:
        self._probe(ref)  # Until it runs, there is nothing in it that the kernel could end with its keeper.
        self._record(ref).keeper().kill(signal.SIGKILL)
        self.until(lambda: not self.is_running(ref))

    def put(self, ref: Ref, text: str) -> None:
        self._probe(ref).sh(f"echo -n {text} > /workspace/text")

    def get(self, ref: Ref) -> str:
        return self._probe(ref).sh("cat /workspace/text 2>/dev/null; true")

    def is_running(self, ref: Ref) -> bool:
        if found := self._record(ref).processes():
            self.processes[ref["instance_id"]] = found
        return any(process.is_alive() for process in self.processes.get(ref["instance_id"], []))

    def _record(self, ref: Ref) -> Record:
        return Record(self.host.options.instances / ref["instance_id"])

    def _probe(self, ref: Ref) -> Probe:
        while ref["instance_id"] not in self.probes:
            probe = self.host.link.accept().ready()
            self.probes[probe.hello["hello"]] = probe
        return self.probes[ref["instance_id"]]


class TestProcessDriver(DriverContract):
    @pytest.fixture
    def engine(self, host: Host, until: Until) -> ProcessEngine:
        return ProcessEngine(host, until)
