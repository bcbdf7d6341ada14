"""What the sidecar and the box of the process driver see of the host: the arguments for bubblewrap.

The sidecar sees the system, its own code and journal, the box's socket and the platform's; it has the host's
network, because it is the way out. The box sees the system's programs, its own disk and the socket: no
network, no other process, no capability, nowhere else to write. As root, each is a user of its own from the
first instruction inside; otherwise both are the user that runs the platform, and only the views part them.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sessions_app.drivers import box_network, host_settings
from sessions_app.drivers.host_uids import HostUids
from sessions_app.drivers.limits import MEGABYTE, Limits
from sessions_app.drivers.process_runtime import BOX_ETC, BOX_UID, BOX_USER, NOTHING

# What the sidecar finds where.
SIDECAR_CODE = Path("/opt/openagent/sidecar")
JOURNAL = Path("/var/lib/openagent/journal")
CONFIG = Path("/run/openagent/config.json")
BOX_RUN = Path("/run/openagent/box")
BOX_SOCKET = BOX_RUN / "box.sock"
LINK_RUN = Path("/run/openagent/link")

# Of /etc a box gets what programs need to run, and nothing that an administrator may have put a secret into.
_BOX_ETC = (
    *("alternatives", "bash.bashrc", "ca-certificates", "debian_version", "fonts", "inputrc", "java-*"),
    *("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "magic", "mime.types", "os-release"),
    *("pki/ca-trust/extracted", "pki/tls/certs", "protocols", "python3*", "services", "ssl/certs"),
    *("ssl/openssl.cnf", "terminfo"),
)
# Which packages /usr is made of: apt in a box need not fetch them again.
_PACKAGES = Path("/var/lib/dpkg/status")
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix/store")
# Where name resolution is generated on hosts whose /etc/resolv.conf is only a link.
_RESOLVERS = (Path("/run/systemd/resolve"), Path("/run/resolvconf"), Path("/run/NetworkManager"))
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
# How the sidecar reaches the world from a host with a proxy, or with certificate authorities of its own.
_PASSED_ON = (*_CERTIFICATES, *_PROXIES, *(name.lower() for name in _PROXIES), "TZ", "OPENAGENT_LOG_LEVEL")


@dataclass(frozen=True, kw_only=True)
class Places:
    """The folders of this host that an instance is made from."""

    runtime: Path
    agents: Path
    volume: Path
    journal: Path
    instance: Path
    link: Path | None
    # Hidden from the box even if they lie inside of the system's folders.
    secret: Sequence[Path]


@dataclass(frozen=True)
class View:
    """How to start a program in a view: `outside` makes the view as `arguments` say, and runs `inside` in it.

    `user` stands before the program inside and makes it a user of its own.
    """

    outside: list[str]
    arguments: list[str]
    user: list[str]
    program: list[str]
    # Further arguments, whose value is a descriptor of this file.
    files: dict[str, str] = field(default_factory=dict)

    def plan(self, *program: str) -> dict[str, Any]:
        """As the keeper wants it; with another program if one is given."""
        inside = [*self.user, *(program or self.program)]
        return {
            "outside": self.outside,
            "arguments": self.arguments,
            "files": self.files,
            "inside": inside,
        }


def sidecar(places: Places, uids: HostUids | None, environment: Mapping[str, str]) -> View:
    """The sidecar in its view; `environment` is the platform's."""
    link = [] if places.link is None else _bind(places.link.parent, LINK_RUN)
    arguments = [
        *("--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts"),
        *([] if uids else ["--unshare-user", "--cap-drop", "ALL"]),
        *_system(),
        *_bind(Path("/etc")),
        *(word for path in _RESOLVERS if path.exists() for word in _bind(path)),
        *("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),
        *_python(),
        *_certificates(environment),
        *_bind(places.runtime / "sidecar", SIDECAR_CODE),
        *_bind(places.journal, JOURNAL, writable=True),
        *_bind(places.instance / "run", BOX_RUN, writable=True),
        *_bind(places.instance / "config.json", CONFIG),
        *link,
        *("--remount-ro", "/", "--chdir", "/"),
    ]
    user = [*_drop(uids.sidecar), "--"] if uids else []
    started = [sys.executable, "-s", "-P", "-m", "sidecar", "--config", str(CONFIG)]
    return View([program("bwrap")], arguments, user, started)


def sidecar_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What the sidecar's programs are told, of what the platform's are."""
    passed = {name: environment[name] for name in _PASSED_ON if environment.get(name)}
    fixed = {"PATH": _PATH, "LANG": "C.UTF-8", "HOME": "/tmp", "PYTHONPATH": str(SIDECAR_CODE)}
    return {**passed, **fixed, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def box(places: Places, uids: HostUids | None, limits: Limits, environment: Mapping[str, str]) -> View:
    """The box program in its box; `environment` is the platform's."""
    arguments = [
        *("--die-with-parent", "--new-session", "--unshare-user", "--unshare-pid", "--unshare-net"),
        *("--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--disable-userns"),
        *("--cap-drop", "ALL", "--hostname", "box"),
        *("--uid", str(BOX_UID), "--gid", str(BOX_UID)),
        *_system(),
        *_box_python(),
        *(word for path in _box_etc() for word in _bind(path)),
        *(_bind(_PACKAGES, Path("/opt/openagent/dpkg-status")) if _PACKAGES.is_file() else []),
        *(word for name in BOX_ETC for word in _bind(places.runtime / "etc" / name, Path("/etc", name))),
        *("--proc", "/proc", "--dev", "/dev"),
        *_scratch("/dev/shm", limits),
        *_scratch("/tmp", limits),
        *("--symlink", "../tmp", "/var/tmp"),
        # Wherever they are on this host, below its own /tmp too.
        *_certificates(environment),
        *_bind(places.volume / "home", Path("/home", BOX_USER), writable=True),
        *_bind(places.volume / "workspace", Path("/workspace"), writable=True),
        *_bind(places.agents, Path("/opt/agents")),
        *_bind(places.runtime / "box", Path("/opt/openagent/box")),
        *_bind(places.instance / "run", Path("/run/openagent")),
        *(word for path in _settings(environment) for word in _bind(places.runtime / NOTHING, path)),
        *(word for path in places.secret if path.is_relative_to("/usr") for word in _hidden(path)),
        *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/workspace"),
    ]
    # Before the view: a user namespace that root made would not let anybody else write to the disk.
    user = [*_drop(uids.box), "--"] if uids else []
    started = [*limits.prlimit(), box_python(), "-I", "/opt/openagent/box"]
    files = {"--seccomp": str(places.runtime / "filter")}
    return View([*user, program("bwrap")], arguments, [], started, files)


def box_environment(environment: Mapping[str, str], registries: Mapping[str, str]) -> dict[str, str]:
    """What every program in the box starts from; `environment` is the platform's."""
    folder = os.path.dirname(box_python())
    # What pip installs for a user who is not root has its programs at the end.
    path = f"{_PATH}:/home/{BOX_USER}/.local/bin"
    return {
        **box_network.environment(bundle=box_network.host_bundle(environment), registries=registries),
        "PATH": path if folder == "/usr/bin" else f"{folder}:{path}",
        "HOME": f"/home/{BOX_USER}",
        "USER": BOX_USER,
        "LOGNAME": BOX_USER,
        "SHELL": "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
    }


def box_python() -> str:
    """The Python of the box program: the system's, else the one that runs the platform."""
    if os.path.exists("/usr/bin/python3"):
        return "/usr/bin/python3"
    return f"{sys.base_prefix}/bin/python3"


def program(name: str) -> str:
    """Where a program of the system is; its bare name when it is nowhere, so that the failure names it."""
    return shutil.which(name) or shutil.which(name, path=_PATH) or name


def _system() -> list[str]:
    """The system's programs and libraries, read-only and as this host lays them out."""
    words = _bind(Path("/usr"))
    for path in (Path("/", name) for name in _SYSTEM):
        if path.is_symlink():
            words += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            words += _bind(path)
    return words


def _python() -> list[str]:
    """The interpreter and the packages of the platform's own environment, wherever they are."""
    program = Path(sys.executable).resolve().parent.parent
    return _bind_outside_system((program, Path(sys.base_prefix), Path(sys.prefix)))


def _box_python() -> list[str]:
    return [] if box_python() == "/usr/bin/python3" else _bind_outside_system((Path(sys.base_prefix),))


def _certificates(environment: Mapping[str, str]) -> list[str]:
    named = (Path(environment[name]) for name in _CERTIFICATES if environment.get(name))
    return _bind_outside_system(path for path in named if path.is_absolute() and path.exists())


def _bind_outside_system(paths: Iterable[Path]) -> list[str]:
    outside = dict.fromkeys(
        path for path in paths if not path.is_relative_to("/usr") and path.parts[1] != "etc"
    )
    return [word for path in sorted(outside) for word in _bind(path)]


def _box_etc() -> list[Path]:
    return sorted(path for pattern in _BOX_ETC for path in Path("/etc").glob(pattern) if path.exists())


def _settings(environment: Mapping[str, str]) -> list[Path]:
    own = [] if box_python() == "/usr/bin/python3" else [Path(sys.base_prefix)]
    return host_settings.files(environment, npm=Path(program("npm")), shown=[Path("/usr"), *own])


def _bind(source: Path, target: Path | None = None, *, writable: bool = False) -> list[str]:
    target = target or source
    # Folders on the way that bubblewrap makes by itself can be entered by root only.
    way = [word for path in reversed(target.parents[:-1]) for word in ("--perms", "0755", "--dir", str(path))]
    return [*way, "--bind" if writable else "--ro-bind", str(source), str(target)]


def _scratch(path: str, limits: Limits) -> list[str]:
    return ["--size", str(limits.tmp_mb * MEGABYTE), "--perms", "1777", "--tmpfs", path]


def _hidden(path: Path) -> list[str]:
    return ["--tmpfs", str(path), "--remount-ro", str(path)] if path.is_dir() else []


def _drop(uid: int) -> list[str]:
    """Become this user for good."""
    setpriv = program("setpriv")
    user = [f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    return [setpriv, *user, "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
