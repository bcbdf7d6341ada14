"""The life of an instance of the process driver: how it starts, what it is told, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sessions_app.drivers.base import DriverError
from tests.sessions_app.drivers.conftest import Host, Until
from tests.sessions_app.drivers.records import alive, record


def test_the_sidecar_is_told_what_the_contract_says(host: Host) -> None:
    ref, probe = host.start()
    config = json.loads(probe.here("print(open('/run/openagent/config.json').read())"))
    assert config == {
        "instance": ref["instance_id"],
        "token": "token-CANARY-0123456789",
        "link": {"unix": "/run/openagent/link/link.sock"},
        "journal": "/var/lib/openagent/journal",
        "box_socket": "/run/openagent/box/box.sock",
        "agent": "scripted",
        "driver": "process",
        "limits": {"silence_seconds": 240.0},
    }
    # The token is nowhere else: not in a command, an environment, a plan or a log.
    for process in record(host, ref).processes():
        for name in ("cmdline", "environ"):
            assert b"CANARY" not in Path(f"/proc/{process.pid}/{name}").read_bytes()
    for file in record(host, ref).folder.iterdir():
        if file.is_file() and file.name != "config.json":
            assert b"CANARY" not in file.read_bytes(), file.name


def test_the_sidecar_sees_nothing_of_other_sessions(host: Host) -> None:
    host.start()
    _, probe = host.start()
    here = "import os; print([p for p in ({places!r}) if os.path.exists(p)])"
    data = host.options.data
    hidden = [str(data / name) for name in ("volumes", "journals", "instances", "kek")] + ["/root", "/home"]
    hidden = [
        path for path in hidden if not sys.prefix.startswith(path) and not sys.base_prefix.startswith(path)
    ]
    assert probe.here(here.format(places=hidden)) == "[]\n"
    processes = "import os; print(sum(name.isdigit() for name in os.listdir('/proc')))"
    assert probe.here(processes) == "2\n"  # bubblewrap's, and itself.
    assert probe.here("open('/opt/openagent/sidecar/x', 'w')") == "OSError\n" or os.geteuid() != 0
    status = probe.here("print(open('/proc/self/status').read())")
    assert "CapEff:\t0000000000000000" in status and "NoNewPrivs:\t1" in status
    assert probe.here("import socket; print(len(socket.if_nameindex()) > 0)") == "True\n"


def test_the_sidecar_has_what_it_needs_to_reach_a_provider(host: Host) -> None:
    _, probe = host.start()
    assert probe.here("import socket; print(bool(socket.getaddrinfo('localhost', 80)))") == "True\n"
    trusted = "import ssl; print(len(ssl.create_default_context().get_ca_certs()))"
    here = subprocess.run([sys.executable, "-c", trusted], capture_output=True, text=True, check=True).stdout
    assert probe.here(trusted) == here and int(here) > 0


def test_create_again_answers_the_same_instance(host: Host) -> None:
    spec = host.spec()
    first = host.driver.create(spec)
    host.link.accept().ready()
    keeper = record(host, first).keeper()
    assert host.driver.create(spec) == first
    assert record(host, first).keeper() == keeper
    assert [ref["instance_id"] for ref in host.driver.list()] == [spec.instance_id]


def test_many_creates_at_once_make_one_instance(host: Host) -> None:
    spec = host.spec()
    drivers = [host.with_options() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        refs = list(pool.map(lambda driver: driver.create(spec), drivers))
    assert all(ref == refs[0] for ref in refs)
    host.link.accept().ready()
    keepers = subprocess.run(
        ["pgrep", "-fc", f"process_keeper.*{spec.instance_id}"], capture_output=True, text=True, check=False
    )
    assert keepers.stdout.strip() == "1"


def test_an_instance_lives_once(host: Host, until: Until) -> None:
    spec = host.spec()
    ref = host.driver.create(spec)
    groups = record(host, ref).plan()["cgroups"]
    host.link.accept().ready().exit(5)
    until(lambda: not host.driver.inspect(ref).alive)
    assert not any(os.path.exists(folder) for folder in groups)
    assert host.driver.create(spec) == ref
    state = host.driver.inspect(ref)
    assert (state.alive, state.exit_code) == (False, 5)
    assert state.detail == "The sidecar ended (the agent ended)."


def test_a_second_instance_of_a_volume_waits_for_the_end_of_the_first(host: Host) -> None:
    ref, _ = host.start(volume="disk")
    with pytest.raises(DriverError) as caught:
        host.driver.create(host.spec(volume="disk"))
    assert (caught.value.code, caught.value.permanent) == ("volume_busy", False)
    host.driver.remove(ref)
    host.start(volume="disk")


def test_the_disk_outlives_its_instances(host: Host) -> None:
    ref, probe = host.start(volume="disk")
    probe.sh("echo kept > /workspace/file; echo kept > /home/agent/file; echo lost > /tmp/file")
    host.driver.remove(ref)
    _, probe = host.start(volume="disk")
    assert probe.sh("cat /workspace/file /home/agent/file") == "kept\nkept\n"
    assert probe.box("test", "-e", "/tmp/file")[0] == 1


def test_removal_lets_the_sidecar_flush(host: Host) -> None:
    host.be_patient()
    ref, probe = host.start(volume="disk")
    probe.flush_slowly(1.0)
    started = alive(host, ref)
    assert len(started) == 3
    groups = record(host, ref).plan()["cgroups"]
    host.driver.remove(ref)
    assert not any(os.path.exists(folder) for folder in groups)
    assert (host.options.journal("disk") / "flushed").read_text() == ref["instance_id"]
    assert not any(process.is_alive() for process in started)
    assert not host.driver.inspect(ref).alive
    assert host.driver.list() == []
    host.driver.remove(ref)


def test_removal_does_not_wait_for_ever(host: Host) -> None:
    ref, probe = host.start(volume="disk")
    probe.flush_slowly(600.0)
    started = alive(host, ref)
    host.driver.remove(ref)
    assert not (host.options.journal("disk") / "flushed").exists()
    assert not any(process.is_alive() for process in started)


def test_removal_ends_every_process_of_the_box(host: Host) -> None:
    ref, probe = host.start()
    # Other runs of this test may have their own on this host.
    marker = f"600.{uuid.uuid4().int}"
    script = (
        f"for n in 1 2 3; do setsid nohup bash -c 'trap \"\" TERM HUP; sleep {marker}' >/dev/null 2>&1 & done"
    )
    probe.sh(script)
    assert probe.sh(f"pgrep -fc 'sleep {marker}'; true").strip() != "0"
    host.driver.remove(ref)
    assert subprocess.run(["pgrep", "-f", f"sleep {marker}"], check=False).returncode == 1


def test_the_log_has_both_halves_and_keeps_its_size(host: Host, until: Until) -> None:
    ref, probe = host.start()
    probe.here("import os; os.write(2, b'bad \\x1b[2J line\\n')")
    until(lambda: "sidecar: bad \\x1b[2J line" in host.driver.logs(ref, 5).splitlines())
    probe.here("import os; [os.write(1, b'x' * 1000 + b'\\n') for _ in range(5000)]")
    folder = record(host, ref).folder
    assert probe.sh("echo alive") == "alive\n"
    assert sum(file.stat().st_size for file in folder.glob("log*")) < 3 * 2**20
    assert len(host.driver.logs(ref, 3).splitlines()) <= 9
    host.driver.remove(ref)
    assert host.driver.logs(ref, 5) == ""
