"""Runs one part in the foreground, where something else than `make up` looks after it: `manage.py part web`.

`manage.py healthy web` answers by its exit code whether the part works, for a health check beside it.
"""

from __future__ import annotations

import argparse
import fcntl
import http.client
import os
import sys
import time
from collections.abc import Sequence

from openagent.lib import data_dir, env
from openagent.lib.data_dir import DataDir
from openagent.management import parts
from openagent.management.parts import Part
from openagent.management.preparation import CannotStart

_NAMES = ("web", "worker", "provisioner", "beat")
_ANSWER_SECONDS = 5.0
# Workers say something every 2 seconds, beat every 15.
_PULSE_SECONDS = 60.0


def main(arguments: Sequence[str]) -> int:
    """The command `part`: becomes the part, so it returns only when that cannot be."""
    name = _name(arguments, "Runs one part in the foreground.")
    data = data_dir.current()
    os.umask(0o077)
    try:
        part = _find(name, data)
        _prepare(part, data)
    except (CannotStart, env.SettingError) as error:
        print(f"Cannot start: {error}", file=sys.stderr)
        return 1
    os.chdir(part.directory)
    os.execvp(part.command[0], part.command)


def healthy_main(arguments: Sequence[str]) -> int:
    """The command `healthy`: 0 when the part works."""
    name = _name(arguments, "Says whether a part works.")
    why = _why_not_ready() if name == "web" else _why_no_pulse(data_dir.current())
    print(why or "It works.")
    return 1 if why else 0


def _name(arguments: Sequence[str], description: str) -> str:
    parser = argparse.ArgumentParser(prog="manage.py", description=description)
    parser.add_argument("name", choices=_NAMES)
    return str(parser.parse_args(arguments).name)


def _port() -> int:
    return env.number("OPENAGENT_PORT", 8000, maximum=65535)


def _find(name: str, data: DataDir) -> Part:
    host = env.text("OPENAGENT_HOST", "127.0.0.1")
    listed = parts.every(data, host=host, port=_port(), redis=None, vite=False, driver="docker")
    return next(part for part in listed if part.name == name)


def _prepare(part: Part, data: DataDir) -> None:
    if part.removes is not None:
        part.removes.unlink(missing_ok=True)
    if part.name != "web":
        data.run.mkdir(parents=True, exist_ok=True)
        # Of an earlier one it would speak for this one.
        data.pulse.write_text("")
    if part.name == "provisioner":
        share_lock(data)


def share_lock(data: DataDir) -> int:
    """Inherited by the part: while it runs, nothing saves this data directory or runs another way on it."""
    descriptor = os.open(data.supervisor_lock, os.O_RDONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(f"Something else works on {data.root}, such as a backup or `make up`.") from None
    os.set_inheritable(descriptor, True)
    return descriptor


def _why_not_ready() -> str:
    connection = http.client.HTTPConnection("127.0.0.1", _port(), timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return "" if answer.status == 200 else answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"It does not answer: {error}"
    finally:
        connection.close()


def _why_no_pulse(data: DataDir) -> str:
    try:
        beaten = data.pulse.read_text().strip()
    except FileNotFoundError:
        return "It has not begun."
    if not beaten:
        return "It does not work yet."
    silent = time.clock_gettime(time.CLOCK_BOOTTIME) - float(beaten)
    return f"It has said nothing for {silent:.0f} s." if silent > _PULSE_SECONDS else ""
