"""What the engine knows of a pair of containers, and how they ended, in words."""

from __future__ import annotations

import signal
from typing import Any

from sessions_app.drivers.base import InstanceState
from sessions_app.drivers.process_records import SIDECAR_EXITS

_NEVER = "0001-01-01T00:00:00Z"


def state(sidecar: dict[str, Any] | None, box: dict[str, Any] | None) -> InstanceState:
    """The state of an instance from what the engine says of both halves; None is a half that is not there."""
    if sidecar is None and box is None:
        return InstanceState(alive=False, detail="It is not there.")
    if sidecar is None or not was_started(sidecar):
        return InstanceState(alive=False, detail="It was not started.")
    if is_running(sidecar) and box is not None and is_running(box):
        return InstanceState(alive=True, detail=f"Runs ({_isolation(box)}); {_health(sidecar)}.")
    return InstanceState(alive=False, exit_code=_exit_code(sidecar), detail=_ending(sidecar, box))


def is_running(container: dict[str, Any]) -> bool:
    return bool(container["State"]["Running"])


def was_started(container: dict[str, Any]) -> bool:
    return bool(container["State"].get("StartedAt", _NEVER) != _NEVER)


def _exit_code(sidecar: dict[str, Any]) -> int | None:
    """The sidecar's own answer; what a signal or a restart of the host left behind is none."""
    code = sidecar["State"].get("ExitCode")
    if is_running(sidecar) or not isinstance(code, int) or code > 128 or code < 0:
        return None
    return code


def _ending(sidecar: dict[str, Any], box: dict[str, Any] | None) -> str:
    if is_running(sidecar):
        text = f"The box ended ({_how(box)})"
    elif (code := _exit_code(sidecar)) is not None:
        text = f"The sidecar ended ({SIDECAR_EXITS.get(code, f'exit code {code}')})"
    else:
        text = f"The sidecar ended ({_how(sidecar)})"
    if _ran_out_of_memory(box):
        text += "; the box ran out of memory"
    if _ran_out_of_memory(sidecar):
        text += "; the sidecar ran out of memory"
    return f"{text}."


def _how(container: dict[str, Any] | None) -> str:
    if container is None:
        return "it was removed"
    code = container["State"].get("ExitCode")
    if not isinstance(code, int) or code == 255:
        return "its host or the engine was restarted"
    number = code - 128
    if number in set(signal.Signals):
        return f"killed by {signal.Signals(number).name}"
    return f"exit code {code}"


def _ran_out_of_memory(container: dict[str, Any] | None) -> bool:
    return bool(container and container["State"].get("OOMKilled"))


def _health(sidecar: dict[str, Any]) -> str:
    return f"its sidecar is {(sidecar['State'].get('Health') or {}).get('Status', 'not checked')}"


def _isolation(box: dict[str, Any]) -> str:
    host = box["HostConfig"]
    user = "root in the box" if box["Config"]["User"].startswith("0:") else "no root in the box"
    return f"runtime {host['Runtime']}, {user}, memory {host['Memory'] // 2**20} MB"
