"""What can be seen and done from inside the real box: nothing but its own disk and one socket."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from sessions_app.drivers.base import Ref
from tests.fakes.probe_link import Probe
from tests.sessions_app.drivers.conftest import Host, Until
from tests.sessions_app.drivers.records import record

CANARY = "CANARY-0123456789"
# Every file that is not the system's, and all that processes tell about themselves.
HUNT = """{
    env; cat /proc/*/environ /proc/*/cmdline /proc/*/maps /proc/net/unix
    find / -xdev -not -path '/usr/*' -not -path '/proc/*' -type f -size -2000k -exec cat {} +
    find /home /workspace /opt /run /tmp /dev/shm -type f -exec cat {} +
} 2>/dev/null; true"""


@pytest.fixture
def instance(host: Host) -> tuple[Ref, Probe]:
    return host.start()


@pytest.fixture
def probe(instance: tuple[Ref, Probe]) -> Probe:
    return instance[1]


def test_there_is_no_interface_but_loopback_and_no_route(probe: Probe) -> None:
    interfaces = probe.sh("tail -n +3 /proc/net/dev | cut -d: -f1").split()
    assert interfaces == ["lo"]
    assert probe.sh("tail -n +2 /proc/net/route") == ""
    routes = probe.sh("cat /proc/net/ipv6_route").splitlines()
    assert {line.split()[-1] for line in routes} <= {"lo"}
    script = "import socket; s = socket.socket(); s.settimeout(3); s.connect(('1.1.1.1', 443))"
    code, output = probe.box("python3", "-c", script)
    assert code == 1 and "Network is unreachable" in output


def test_the_hosts_ports_and_abstract_sockets_are_out_of_reach(probe: Probe) -> None:
    listening = probe.sh("awk '$4 == \"0A\" {print $2}' /proc/net/tcp").split()
    assert sorted(listening) == ["0100007F:1B59", "0100007F:1B5A"]  # 127.0.0.1:7001 and 7002, the gates'.
    assert probe.sh("tail -n +2 /proc/net/unix | awk '{print $8}' | sort -u").split() in (
        [],
        ["/run/openagent/box/box.sock"],
    )


def test_the_gate_answers_on_its_loopback_port(probe: Probe) -> None:
    script = (
        "import socket; s = socket.create_connection(('127.0.0.1', 7001)); s.sendall(b'hello'); "
        "s.shutdown(socket.SHUT_WR); print(s.makefile().read())"
    )
    assert probe.sh(f'python3 -c "{script}"') == "gate: hello\n"


def test_there_are_no_rights_to_gain(probe: Probe) -> None:
    status = dict(
        line.split(":\t") for line in probe.sh("cat /proc/self/status").splitlines() if ":\t" in line
    )
    assert {status[f"Cap{name}"] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert status["Uid"].split() == ["1000"] * 4
    assert probe.sh("ulimit -c").strip() == "0"
    for command in (
        "unshare -U true",
        "unshare -m true",
        "bwrap --ro-bind / / true",
        "mount -t tmpfs x /tmp",
        "chroot / true",
    ):
        assert probe.box("bash", "-c", command)[0] != 0, command
    assert probe.box("mknod", "/tmp/disk", "b", "8", "0")[0] != 0
    assert probe.box("bash", "-c", "echo x > /proc/sys/kernel/hostname")[0] != 0


def test_doors_that_namespaces_leave_open_are_shut(probe: Probe) -> None:
    families = (
        "import socket\n"
        "for family in range(60):\n"
        "    for kind in (1, 2, 3, 5):\n"
        "        try: socket.socket(family, kind).close(); print(family)\n"
        "        except OSError: pass"
    )
    made = {int(line) for line in probe.sh(f'python3 -c "{families}"').split()}
    # Unix, IPv4, IPv6 and netlink, all of them inside of its own namespace; above all no AF_VSOCK.
    assert made == {1, 2, 10, 16}
    calls = (
        "import ctypes, os\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "for number in (250, 321, 298, 323, 425, 165, 0x40000000 + 39, 1000):\n"
        "    print(libc.syscall(number, 0, 0, 0, 0, 0), os.strerror(ctypes.get_errno()))"
    )
    if os.uname().machine == "x86_64":
        refused = ["Operation not permitted"] * 4 + ["Function not implemented", "Operation not permitted"]
        said = probe.sh(f'python3 -c "{calls}"').splitlines()
        assert said == [f"-1 {reason}" for reason in [*refused, *["Function not implemented"] * 2]]


def test_only_its_own_processes_are_visible(probe: Probe) -> None:
    commands = probe.sh("for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done")
    assert "keeper" not in commands and "sidecar --config" not in commands and "pytest" not in commands
    # bubblewrap's first process, the box program, and the script itself.
    assert len(probe.sh("ls -d /proc/[0-9]*").split()) <= 5
    assert probe.sh("kill -9 1; echo alive").endswith("alive\n")


def test_only_home_workspace_and_scratch_can_be_written(probe: Probe) -> None:
    folders = set(probe.sh("find / -xdev -type d -writable 2>/dev/null; true").split())
    mounts = set(probe.sh("awk '{print $5}' /proc/self/mountinfo").split())
    written = {path for path in folders | mounts if probe.box("touch", f"{path}/.probe")[0] == 0}
    assert written == {"/home/agent", "/workspace", "/tmp", "/dev/shm"}


def test_scratch_space_is_bounded(probe: Probe) -> None:
    for folder in ("/tmp", "/dev/shm"):
        code, output = probe.box("dd", "if=/dev/zero", f"of={folder}/full", "bs=1M", "count=20")
        assert code == 1 and "No space left" in output


def test_programs_work_as_on_any_machine(probe: Probe) -> None:
    assert probe.sh("id -un; echo $HOME; pwd").split() == ["agent", "/home/agent", "/workspace"]
    assert probe.sh("git init -q . && echo hello > file && git add file && git status -s") == "A  file\n"
    assert probe.sh("python3 -c 'import socket; print(socket.gethostbyname(\"localhost\"))'") == "127.0.0.1\n"
    assert probe.sh("python3 -c 'import pty; print(len(pty.openpty()))'") == "2\n"
    assert probe.sh("ls /opt/agents/scripted") == "program\n"
    assert probe.box("/opt/agents/scripted/program") == (0, "")


def test_nothing_of_the_platform_or_of_another_session_is_there(host: Host, probe: Probe) -> None:
    """The canary hunt: every file, every process, every socket and every variable that the box can read."""
    _, other = host.start()
    other.sh(f"echo other-{CANARY} > /workspace/secret; echo other-{CANARY} > /home/agent/secret")
    (host.options.data / "kek").write_text(f"kek-{CANARY}")
    assert CANARY not in probe.sh(HUNT)
    found = probe.sh("find / /run /opt /home /workspace -xdev \\( -type s -o -type p \\) 2>/dev/null; true")
    assert set(found.split()) <= {"/run/openagent/box.sock"}
    for path in (
        host.options.data,
        host.options.sidecar,
        "/root",
        "/etc/shadow",
        "/var/lib",
        "/sys",
        "/boot",
    ):
        assert probe.box("ls", str(path))[0] != 0, path
    settings = "etc/{npm,yarn,gem,wget}rc,etc/gitconfig,pip.conf,lib/node_modules/npm/npmrc,cargo/c*"
    assert probe.sh(f"cat /usr/{{,local/}}{{{settings}}} 2>/dev/null; true") == ""


def test_a_swapped_socket_leads_nowhere(host: Host, instance: tuple[Ref, Probe]) -> None:
    ref, probe = instance
    for command in (
        "ln -sfn /etc/passwd /run/openagent/box.sock",
        "rm -f /run/openagent/box.sock",
        "mv /run/openagent/box.sock /run/openagent/other",
        "touch /run/openagent/other",
        "ln -s /tmp /run/openagent/other",
        "chmod 777 /run/openagent",
    ):
        assert probe.box("bash", "-c", command)[0] != 0, command
    # What it may change is its own disk: links there mean nothing to anybody outside.
    probe.sh(
        "cd /workspace && ln -s /run/openagent/config.json config && ln -s / root && rm -rf /home/agent/*"
    )
    host.driver.remove(ref)
    _, again = host.start(volume=str(ref["volume"]))
    assert again.sh("readlink root config").split() == ["/", "/run/openagent/config.json"]
    assert again.box("cat", "/run/openagent/config.json")[0] != 0


def test_a_box_program_that_is_replaced_gains_nothing(probe: Probe) -> None:
    """Whoever owns the box can end its program, and with it the box, but not become it."""
    assert probe.box("bash", "-c", "echo x > /opt/openagent/box/__main__.py")[0] != 0
    connect = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/openagent/box.sock'); "
    second = connect + 's.sendall(b\'{"hello":"control","version":1}\\n\'); print(s.recv(100))'
    assert probe.box("python3", "-c", second) == (0, "b''\n")
    assert probe.sh("echo alive") == "alive\n"


def test_processes_are_bounded(probe: Probe) -> None:
    script = (
        "import subprocess\n"
        "count = 0\n"
        "try:\n"
        "    while count < 1000:\n"
        "        subprocess.Popen(['sleep', '600'], stdout=-3, stderr=-3); count += 1\n"
        "except OSError as error: print(error.strerror)\n"
        "print(count)"
    )
    said = probe.box("python3", "-c", script)[1].split("\n")
    assert "Resource temporarily unavailable" in said[0] and 100 < int(said[1]) < 200
    # There is no room for one more, and that is said: a program that forks fails, or does not start at all.
    assert probe.box("bash", "-c", "true & true & wait") != (0, "")


def test_files_are_bounded(probe: Probe) -> None:
    code, _ = probe.box("dd", "if=/dev/zero", "of=/workspace/large", "bs=1M", "count=80")
    assert code != 0
    assert int(probe.sh("stat -c %s /workspace/large")) <= 64 * 2**20


def test_memory_is_bounded_where_the_host_can(host: Host, instance: tuple[Ref, Probe], until: Until) -> None:
    ref, probe = instance
    detail = host.driver.inspect(ref).detail
    if "memory 512 MB" not in detail:
        assert "memory not limited" in detail
        pytest.skip(f"this host gives us no control group for memory: {detail}")
    code, _ = probe.box("python3", "-c", "x = bytearray(700 * 2**20); print(len(x))")
    assert code == -9
    probe.exit(3)
    until(lambda: not host.driver.inspect(ref).alive)
    assert "ran out of memory" in host.driver.inspect(ref).detail


def test_the_memory_of_a_sidecar_is_bounded_too(
    host: Host, instance: tuple[Ref, Probe], until: Until
) -> None:
    ref, probe = instance
    is_group = any("memory" in folder for folder in record(host, ref).plan()["sidecar"]["cgroups"])
    script = "try: x = bytearray(700 * 2**20); print(len(x))\nexcept MemoryError: print('none left')"
    if not is_group:
        assert probe.here(script) == "none left\n"
        return
    with pytest.raises((OSError, ValueError)):
        probe.here(script)
    until(lambda: not host.driver.inspect(ref).alive)
    detail = host.driver.inspect(ref).detail
    assert detail == "The sidecar ended (killed by SIGKILL); the sidecar ran out of memory."


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give them users of their own")
def test_box_and_sidecar_are_users_of_their_own(host: Host, instance: tuple[Ref, Probe]) -> None:
    ref, probe = instance
    volume = host.options.volume(str(ref["volume"]))
    box = (volume / "home").stat().st_uid
    sidecar = host.options.journal(str(ref["volume"])).stat().st_uid
    probe.sh("touch /workspace/mine")
    assert (volume / "workspace" / "mine").stat().st_uid == box
    assert int(probe.here("import os; print(os.getuid())")) == sidecar
    assert len({0, box, sidecar}) == 3
    _, other = host.start()
    assert int(other.here("import os; print(os.getuid())")) not in {0, box, sidecar}
    owners = subprocess.run(["ps", "-eo", "uid="], capture_output=True, text=True, check=True).stdout.split()
    assert {str(box), str(sidecar)} <= set(owners)
    for folder in (volume, volume / "home", host.options.instances / ref["instance_id"]):
        assert not folder.stat().st_mode & 0o007, folder
    assert re.fullmatch(
        "0o100400", oct((host.options.instances / ref["instance_id"] / "config.json").stat().st_mode)
    )


def test_a_box_hides_nothing_of_what_its_disk_takes(host: Host, instance: tuple[Ref, Probe]) -> None:
    ref, probe = instance
    probe.sh("cd /workspace; mkdir closed; head -c 400000 /dev/urandom > closed/file; chmod 0 closed")
    probe.sh("cd /workspace; ln -s / all; ln -s ../../../.. above; truncate -s 60M holes")
    taken = host.driver.volume_bytes(str(ref["volume"]))
    probe.sh("chmod 700 /workspace/closed")
    if os.geteuid() != 0:
        assert taken is None, "the platform's user may look into it no more than the box's"
    else:
        assert taken is not None and 400_000 <= taken < 4_000_000
