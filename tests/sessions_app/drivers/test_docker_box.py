"""What can be seen and done from inside of a box that is a container, and what its engine is told of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from openagent.lib.engine import PREFIX
from sessions_app.drivers import docker_launch
from sessions_app.drivers.base import DriverError, Ref
from sessions_app.drivers.docker import DockerDriver
from tests import needs
from tests.docker_fixtures import (
    BUILD_SECONDS,
    container_engine,
    docker_data,
    docker_options,
    dockers,
    probe_images,
    real_images,
)
from tests.fakes.docker_host import DockerHost
from tests.sessions_app.drivers.conftest import Until

__all__ = ["container_engine", "docker_data", "docker_options", "dockers", "probe_images", "real_images"]

pytestmark = [pytest.mark.timeout(BUILD_SECONDS), pytest.mark.slow]

GOLDEN = Path(__file__).resolve().parents[2] / "fixtures" / "docker" / "pair.json"
TOKEN = "token-CANARY-0123456789"
# What an engine answers of a container is long; this is what makes it what it is.
_CONFIG = ("Hostname", "User", "Env", "Labels", "OpenStdin", "Healthcheck", "Entrypoint", "Cmd", "WorkingDir")
_HOST = (
    *("Privileged", "ReadonlyRootfs", "CapAdd", "CapDrop", "SecurityOpt", "NetworkMode", "PortBindings"),
    *("IpcMode", "PidMode", "UTSMode", "UsernsMode", "CgroupnsMode", "RestartPolicy", "Runtime", "Devices"),
    *("Memory", "MemorySwap", "NanoCpus", "PidsLimit", "Ulimits", "ShmSize", "Tmpfs", "Mounts", "Binds"),
    *("OomScoreAdj", "Dns", "DnsSearch", "ExtraHosts", "VolumesFrom", "GroupAdd", "Sysctls", "LogConfig"),
)


def shape(host: DockerHost, ref: Ref) -> dict[str, Any]:
    """What the engine says of both halves, with this run's names and places replaced."""
    found = {}
    for role in ("sidecar", "box"):
        said = host.inspect(ref, role)
        found[role] = {
            **{name: _present(said["Config"].get(name)) for name in _CONFIG},
            **{name: _present(said["HostConfig"].get(name)) for name in _HOST},
        }
    labels = found["box"]["Labels"]
    text = json.dumps(found, indent=1, sort_keys=True)
    for name in ("installation", "instance", "volume"):
        text = text.replace(labels[f"{PREFIX}{name}"], name.upper())
    text = text.replace(str(host.options.data), "/DATA")
    parsed: dict[str, Any] = json.loads(text)
    for half in parsed.values():
        # Of the image, which changes with every version.
        half["Labels"] = {name: half["Labels"][name] for name in sorted(half["Labels"]) if _is_names(name)}
        half["Env"] = sorted(entry.partition("=")[0] for entry in half["Env"])
    return parsed


def _present(value: Any) -> Any:
    """Versions of the engine differ in how they write that there is nothing."""
    return None if value in ([], {}, "") else value


def _is_names(label: str) -> bool:
    return label in {f"{PREFIX}{name}" for name in ("installation", "instance", "volume", "role")}


def test_a_pair_is_what_the_golden_file_says_and_shows_no_secret(
    dockers: DockerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in docker_launch.PASSED_ON:
        monkeypatch.delenv(name, raising=False)
    ref, _ = dockers.start(volume="disk")
    assert shape(dockers, ref) == json.loads(GOLDEN.read_text())
    for role in ("sidecar", "box"):
        assert TOKEN not in json.dumps(dockers.inspect(ref, role))
    assert TOKEN not in dockers.driver.logs(ref, 1000)


def test_a_box_is_shut_in(dockers: DockerHost) -> None:
    _, other = dockers.start()
    other.sh("echo -n MARK-OF-ANOTHER > /workspace/mark; echo -n MARK-OF-ANOTHER > /home/agent/mark")
    _, probe = dockers.start()
    status = probe.sh("cat /proc/self/status")
    found = dict(re.findall(r"^(\w+):\s+(\S+)", status, re.MULTILINE))
    assert {found[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (found["NoNewPrivs"], found["Seccomp"], found["Uid"]) == ("1", "2", "10001")
    interfaces = probe.sh("tail -n +3 /proc/net/dev | cut -d: -f1").split()
    assert interfaces == ["lo"] and probe.sh("tail -n +2 /proc/net/route") == ""
    for path in ("/", "/etc", "/usr", "/opt/agents", "/opt/openagent/box", "/run/openagent", "/var/lib"):
        assert probe.sh(f"touch {path}/x 2>&1; true") != "", f"{path} can be written to"
    assert probe.sh("ls /var/run/docker.sock /run/docker.sock 2>/dev/null; true") == ""
    assert probe.sh("unshare -Ur true 2>&1; unshare -m true 2>&1; mount -t tmpfs x /tmp 2>&1; true") != ""
    assert probe.box("unshare", "-Ur", "true")[0] != 0 and probe.box("unshare", "-m", "true")[0] != 0
    assert probe.box("mknod", "/tmp/disk", "b", "7", "0")[0] != 0
    assert probe.sh("cat /workspace/mark /home/agent/mark 2>/dev/null; true") == ""
    assert probe.sh("ulimit -c; ulimit -n").split() == ["0", "4096"]
    hidden = probe.sh("cat /etc/resolv.conf /proc/*/environ /proc/*/cmdline | tr '\\0' ' '")
    assert TOKEN not in hidden and "nameserver 127.0.0.1" in hidden


def test_a_box_in_gvisor_is_shut_in(dockers: DockerHost) -> None:
    if "runsc" not in dockers.client.info()["Runtimes"]:
        needs.missing("runsc", "the engine has no runtime runsc")
    # Its own threads count as processes of the box.
    limits = replace(dockers.options.limits, processes=1024)
    engine = replace(dockers.options.engine, runtime="runsc")
    plain, dockers.driver = (
        dockers.driver,
        DockerDriver(replace(dockers.options, limits=limits, engine=engine)),
    )
    plain.close()
    ref, probe = dockers.start()
    assert "runtime runsc" in dockers.driver.inspect(ref).detail
    assert dockers.inspect(ref, "sidecar")["HostConfig"]["Runtime"] == "runc"
    assert "gVisor" in probe.sh("dmesg")
    found = dict(re.findall(r"^(\w+):\s+(\S+)", probe.sh("cat /proc/self/status"), re.MULTILINE))
    assert {found[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd")} == {"0" * 16}
    assert (found["Seccomp"], found["Uid"]) == ("2", "10001")
    assert probe.sh("tail -n +3 /proc/net/dev | cut -d: -f1").split() == ["lo"]
    for path in ("/", "/etc", "/usr", "/opt/agents", "/run/openagent", "/var/lib"):
        assert probe.sh(f"touch {path}/x 2>&1; true") != "", f"{path} can be written to"
    assert probe.box("mount", "-t", "tmpfs", "x", "/tmp")[0] != 0
    assert probe.sh("cd /workspace && git init -q one && ls one/.git/HEAD && ulimit -c").split()[1:] == ["0"]
    for family in (17, 38, 40):
        assert probe.box("python3", "-c", f"import socket; socket.socket({family}, 3)")[0] != 0


def test_no_socket_but_the_usual_ones_can_be_made(dockers: DockerHost) -> None:
    _, probe = dockers.start()
    script = (
        "import socket, ctypes, errno\n"
        "for family in (1, 2, 10, 16, 40, 38, 17, 29):\n"
        "    try: socket.socket(family, 3 if family in (16, 17) else 1).close(); print(family)\n"
        "    except OSError as error: assert error.errno in (errno.EAFNOSUPPORT, errno.EPERM), error\n"
        "ctypes.CDLL(None).syscall(425, 1, 0) == -1 and print('no io_uring')\n"
    )
    code, output = probe.box("python3", "-c", script)
    assert (code, output.split("\n")) == (0, ["1", "2", "10", "16", "no io_uring", ""])


def test_sidecars_cannot_reach_each_other(dockers: DockerHost) -> None:
    first, one = dockers.start()
    _, two = dockers.start()
    network = dockers.inspect(first, "sidecar")["NetworkSettings"]["Networks"]
    address = next(iter(network.values()))["IPAddress"]
    one.here(
        "import socket, threading; s = socket.create_server(('0.0.0.0', 9911)); globals()['s'] = s; "
        "import builtins; builtins.kept = s; print('listens')"
    )
    reach = f"import socket; print(socket.create_connection(('{address}', 9911), 3).getpeername())"
    assert one.here(reach).strip() == str((address, 9911)), "it can be reached at all"
    assert two.here(reach).strip() in {"TimeoutError", "ConnectionRefusedError", "OSError"}


def test_what_a_box_may_use_is_bounded(dockers: DockerHost, until: Until) -> None:
    ref, probe = dockers.start()
    code, output = probe.box("python3", "-c", "x = bytearray(600 * 2**20); print(len(x))")
    assert code != 0 and "629145600" not in output
    script = (
        "import subprocess as s; made = []\ntry:\n"
        "    while len(made) < 300: made.append(s.Popen(['sleep', '600'], stdout=-3, stderr=-3))\n"
        "except OSError as error: print(error.strerror)\nfor each in made: each.kill(); each.wait()"
    )
    assert probe.box("python3", "-c", script) == (0, "Resource temporarily unavailable\n")
    assert probe.box("dd", "if=/dev/zero", "of=/tmp/x", "bs=1M", "count=32")[0] != 0
    assert dockers.driver.inspect(ref).alive


def test_running_out_of_memory_is_told_in_words(dockers: DockerHost, until: Until) -> None:
    ref, probe = dockers.start()
    probe.box("python3", "-c", "x = bytearray(600 * 2**20)")
    probe.exit(6)
    until(lambda: not dockers.driver.inspect(ref).alive)
    # The engine hears of that by itself, which may take longer.
    until(lambda: "the box ran out of memory" in dockers.driver.inspect(ref).detail)
    assert "the box was lost" in dockers.driver.inspect(ref).detail


def test_a_half_that_dies_takes_the_other_along(dockers: DockerHost, until: Until) -> None:
    for role in ("box", "sidecar"):
        ref, _ = dockers.start()
        dockers.client.api.kill(dockers.containers(ref)[role])
        assert end_of(ref, dockers, until) == f"The {role} ended (killed by SIGKILL)."
        until(lambda ref=ref: dockers.containers(ref, running=True) == {})  # type: ignore[misc]


def end_of(ref: Ref, dockers: DockerHost, until: Until) -> str:
    """What the first look that finds an end says of it: that look ends the other half, too."""
    looks = []

    def has_ended() -> bool:
        looks.append(dockers.driver.inspect(ref))
        return not looks[-1].alive

    until(has_ended)
    return looks[-1].detail


def test_removal_lets_the_sidecar_flush(dockers: DockerHost) -> None:
    dockers.driver.close()
    dockers.driver = DockerDriver(replace(dockers.options, grace_seconds=60))
    ref, probe = dockers.start(volume="disk")
    probe.flush_slowly(1.0)
    dockers.driver.remove(ref)
    _, successor = dockers.start(volume="disk")
    flushed = successor.here("print(open('/var/lib/openagent/journal/flushed').read())")
    assert flushed.strip() == ref["instance_id"]


def test_a_half_made_pair_is_made_anew(dockers: DockerHost) -> None:
    spec = dockers.spec()
    ref = dockers.driver.create(spec)
    dockers.link.accept().ready()
    made = dockers.containers(ref)
    dockers.driver.remove(ref)
    # As a creator leaves it that is killed before the sidecar starts.
    config = {"Image": dockers.options.engine.box, "Labels": {}, "HostConfig": {"NetworkMode": "none"}}
    installation = json.loads((dockers.options.data / "installation.json").read_text())["id"]
    dockers.client.api.create_container_from_config(
        config, f"openagent-{installation}-{spec.instance_id}-box"
    )
    assert dockers.driver.create(spec) == ref
    dockers.link.accept().ready()
    assert dockers.driver.inspect(ref).alive and dockers.containers(ref) != made


def test_installations_on_one_engine_do_not_touch_each_other(
    dockers: DockerHost, container_engine: docker.DockerClient, tmp_path: Path
) -> None:
    ref, _ = dockers.start(volume="disk")
    other = DockerDriver(replace(dockers.options, data=tmp_path))
    assert other.list() == []
    other.remove(ref)
    other.remove_volume("disk")
    other.close()
    assert dockers.driver.list() == [ref] and dockers.driver.inspect(ref).alive


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"runtime": "nowhere"}, "runtime_unknown"),
        ({"box": "openagent-absent:1"}, "image_missing"),
        ({"socket": Path("/nowhere/docker.sock")}, "engine_away"),
    ],
)
def test_what_is_wrong_is_said(dockers: DockerHost, change: dict[str, Any], code: str) -> None:
    options = replace(dockers.options, engine=replace(dockers.options.engine, **change))
    driver = DockerDriver(options)
    with pytest.raises(DriverError) as caught:
        driver.create(dockers.spec())
    driver.close()
    assert caught.value.code == code and caught.value.permanent == (code != "engine_away")
    assert dockers.driver.list() == []


def test_a_disk_with_a_bound_is_full_at_its_bound_and_keeps_what_it_has(dockers: DockerHost) -> None:
    options = replace(dockers.options, engine=replace(dockers.options.engine, disk_mb=64))
    plain, dockers.driver = dockers.driver, DockerDriver(options)
    if dockers.driver.isolation()["size of disks"] == "not enforced":
        dockers.driver.close()
        dockers.driver = plain
        pytest.skip("this host mounts no loop devices: disks have no bound")
    ref, probe = dockers.start(volume="disk")
    probe.sh("echo -n kept > /workspace/text; mkdir /home/agent/state")
    code, output = probe.box("dd", "if=/dev/zero", "of=/workspace/big", "bs=1M", "count=100")
    assert code != 0 and "No space left" in output
    dockers.driver.remove(ref)
    assert dockers.options.data.joinpath("volumes", "disk").is_dir()
    assert not dockers.options.data.joinpath("volumes", "disk", "workspace").exists(), "it is unmounted"
    taken, limit = dockers.driver.volume_bytes("disk"), dockers.driver.volume_limit("disk")
    assert taken is not None and limit == 64 * 2**20
    assert 32 * 2**20 < taken <= limit + 2**20
    ref, probe = dockers.start(volume="disk")
    assert probe.sh("cat /workspace/text; ls -d /home/agent/state") == "kept/home/agent/state\n"
    dockers.driver.remove(ref)
    dockers.driver.remove_volume("disk")
    assert not dockers.options.data.joinpath("disks", "disk.ext4").exists()
    plain.close()


def test_root_in_the_box_is_an_administrators_choice(dockers: DockerHost) -> None:
    options = replace(dockers.options, engine=replace(dockers.options.engine, is_root=True))
    plain, dockers.driver = dockers.driver, DockerDriver(options)
    _, probe = dockers.start()
    assert probe.sh("id -u; touch /usr/local/bin/x && echo written").split() == ["0", "written"]
    assert probe.sh("grep NoNewPrivs /proc/self/status").split() == ["NoNewPrivs:", "1"]
    assert probe.box("mount", "-t", "tmpfs", "x", "/tmp")[0] != 0
    plain.close()
