"""The specification of both containers, as the engine wants it: a template of ours, with names filled in.

Nothing that a user says gets into it but the name of an agent that the image has. A golden file in the tests
holds every field that matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openagent.lib.engine import PREFIX
from sessions_app.drivers import disk_use
from sessions_app.drivers.docker_options import Options
from sessions_app.drivers.limits import MEGABYTE, Limits

BOX_USER, SIDECAR_USER = 10001, 10002
LINK = "/run/openagent/link"
JOURNAL = "/var/lib/openagent/journal"
SOCKET_FOLDER = "/run/openagent/box"
HEALTH_SOCKET = "/tmp/health.sock"

_PYTHON = "/opt/openagent/venv/bin/python"
_SECOND = 1_000_000_000
# What root needs to install packages; nothing of it reaches outside of its own container.
_ROOT_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID")

Config = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the engine's objects are called: after the installation, and the instance or the volume."""

    installation: str
    instance_id: str
    volume: str

    @property
    def network(self) -> str:
        return network_name(self.installation)

    @property
    def sockets(self) -> str:
        """The volume with the socket between both halves."""
        return f"openagent-{self.installation}-{self.instance_id}-run"

    @property
    def journal(self) -> str:
        return volume_name(self.installation, self.volume, "journal")

    def container(self, role: str) -> str:
        return f"openagent-{self.installation}-{self.instance_id}-{role}"

    def labels(self, role: str) -> dict[str, str]:
        return {
            f"{PREFIX}installation": self.installation,
            f"{PREFIX}instance": self.instance_id,
            f"{PREFIX}volume": self.volume,
            f"{PREFIX}role": role,
        }


def network_name(installation: str) -> str:
    return f"openagent-{installation}"


def volume_name(installation: str, volume: str, what: str) -> str:
    return f"openagent-{installation}-{volume}-{what}"


def network(installation: str) -> Config:
    """The one network that sidecars get out by: they cannot reach each other on it."""
    return {
        "name": network_name(installation),
        "check_duplicate": True,
        "driver": "bridge",
        "labels": {f"{PREFIX}installation": installation},
        "options": {
            "com.docker.network.bridge.enable_icc": "false",
            "com.docker.network.bridge.name": f"oa-{installation}",
        },
    }


def sockets(names: Names) -> Config:
    """The volume for the socket: memory that only the sidecar's user can write to."""
    return {
        "name": names.sockets,
        "driver": "local",
        "driver_opts": {
            "type": "tmpfs",
            "device": "tmpfs",
            "o": f"size=64k,nr_inodes=16,mode=0711,uid={SIDECAR_USER},gid={SIDECAR_USER},nosuid,nodev,noexec",
        },
        "labels": names.labels("run"),
    }


def sidecar(
    names: Names, options: Options, *, image: str, link: Path | None, environment: Mapping[str, str]
) -> Config:
    """The trusted half. Its configuration is written to its standard input once."""
    mounts = [
        _volume(names.sockets, SOCKET_FOLDER),
        _volume(names.journal, JOURNAL),
        *([_bind(link.parent, LINK, read_only=True)] if link else []),
    ]
    host = _host(mounts, options.sidecar_limits, cpus=1)
    return {
        "Image": image,
        "Hostname": "sidecar",
        "User": f"{SIDECAR_USER}:{SIDECAR_USER}",
        "Env": [f"{name}={value}" for name, value in sorted(environment.items())],
        "Labels": names.labels("sidecar"),
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "Healthcheck": {
            "Test": ["CMD", _PYTHON, "-s", "-P", "-m", "sidecar.health", HEALTH_SOCKET],
            "Interval": 60 * _SECOND,
            "Timeout": 10 * _SECOND,
            "StartPeriod": 30 * _SECOND,
            "Retries": 3,
        },
        "HostConfig": {**host, "NetworkMode": names.network, "Runtime": "runc"},
    }


def box(
    names: Names,
    options: Options,
    *,
    image: str,
    cpus: int,
    disk: list[Config],
    environment: Mapping[str, str],
) -> Config:
    """The untrusted half: no network, no capability, one disk, and the folder with the socket."""
    mounts = [*disk, _volume(names.sockets, "/run/openagent", read_only=True)]
    host = _host(mounts, options.limits, cpus=cpus)
    own = {
        "NetworkMode": "none",
        "Runtime": options.engine.runtime,
        # Of what runs out of memory on the whole host, boxes go first.
        "OomScoreAdj": 500,
        # Without a network none is asked, and the host's own need not be known in there.
        "Dns": ["127.0.0.1"],
        "DnsSearch": ["."],
    }
    root = {"ReadonlyRootfs": False, "CapAdd": list(_ROOT_CAPABILITIES)} if options.engine.is_root else {}
    user = 0 if options.engine.is_root else BOX_USER
    return {
        "Image": image,
        "Hostname": "box",
        "User": f"{user}:{user}",
        "Env": [f"{name}={value}" for name, value in sorted(environment.items())],
        "Labels": names.labels("box"),
        "HostConfig": {**host, **own, **root},
    }


def measuring_name(installation: str, volume: str) -> str:
    return f"openagent-{installation}-{volume}-measuring"


def measuring(installation: str, volume: str, *, image: str) -> Config:
    """What counts a disk of the engine's volumes: a program of ours, that sees nothing else and no network.

    It reads what only the box's users may, and everything that it sees is read-only. It has no label of an
    instance, because it is none.
    """
    seen = {what: f"/measured/{what}" for what in ("home", "workspace")}
    mounts = [
        _volume(volume_name(installation, volume, what), target, read_only=True)
        for what, target in seen.items()
    ]
    host = _host(mounts, Limits(memory_mb=disk_use.MEMORY_MB, processes=16, tmp_mb=1), cpus=1)
    return {
        "Image": image,
        "User": "0:0",
        "Env": ["LC_ALL=C"],
        "Entrypoint": ["timeout", "--signal=KILL", str(disk_use.SECONDS)],
        "Cmd": disk_use.command(*seen.values()),
        "Labels": {f"{PREFIX}installation": installation, f"{PREFIX}role": "measuring"},
        "HostConfig": {**host, "NetworkMode": "none", "Runtime": "runc", "CapAdd": ["DAC_OVERRIDE"]},
    }


def disk_volumes(installation: str, volume: str) -> list[Config]:
    """The disk as two of the engine's own volumes."""
    return [
        _volume(volume_name(installation, volume, "home"), "/home/agent"),
        _volume(volume_name(installation, volume, "workspace"), "/workspace"),
    ]


def disk_folders(folder: Path) -> list[Config]:
    """The disk as two folders of this host."""
    return [_bind(folder / "home", "/home/agent"), _bind(folder / "workspace", "/workspace")]


def _host(mounts: list[Config], limits: Limits, *, cpus: int) -> Config:
    memory = limits.memory_mb * MEGABYTE
    tmp = limits.tmp_mb * MEGABYTE
    return {
        "Privileged": False,
        "ReadonlyRootfs": True,
        "CapAdd": [],
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "IpcMode": "private",
        "CgroupnsMode": "private",
        "RestartPolicy": {"Name": "no"},
        "PidsLimit": limits.processes,
        "Memory": memory,
        "MemorySwap": memory,
        "NanoCpus": cpus * _SECOND,
        "ShmSize": tmp,
        "Tmpfs": {"/tmp": f"rw,exec,nosuid,nodev,size={tmp},mode=1777"},
        "Ulimits": [
            {"Name": "core", "Soft": 0, "Hard": 0},
            {"Name": "fsize", "Soft": limits.file_mb * MEGABYTE, "Hard": limits.file_mb * MEGABYTE},
            {"Name": "nofile", "Soft": limits.open_files, "Hard": limits.open_files},
        ],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}},
        "Mounts": mounts,
    }


def _volume(name: str, target: str, *, read_only: bool = False) -> Config:
    return {"Type": "volume", "Source": name, "Target": target, "ReadOnly": read_only}


def _bind(source: Path, target: str, *, read_only: bool = False) -> Config:
    return {
        "Type": "bind",
        "Source": str(source),
        "Target": target,
        "ReadOnly": read_only,
        "BindOptions": {"Propagation": "rprivate"},
    }
