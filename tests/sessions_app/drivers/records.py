"""What tests of the process driver look up in an instance's files."""

from __future__ import annotations

from sessions_app.drivers.base import Ref
from sessions_app.drivers.process_records import Process, Record
from tests.sessions_app.drivers.conftest import Host


def record(host: Host, ref: Ref) -> Record:
    return Record(host.options.instances / ref["instance_id"])


def alive(host: Host, ref: Ref) -> list[Process]:
    return [process for process in record(host, ref).processes() if process.is_alive()]
