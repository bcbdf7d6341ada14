"""Runs the whole platform in the foreground until it is told to stop.

1. Make the data directory and its secrets, lock it, find a port.
2. Choose the driver and build its images, bring database and static files up to date.
3. Start the supervisor with Redis (if none is given), web, beat, worker; say when it is ready.
4. Wait; say when a part ended and was started again.
5. On Ctrl-C or TERM: stop instances, then worker, beat, web and Redis, in at most 15 seconds, and see to it
   that no process is left.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from openagent.lib import data_dir, env
from openagent.management import choice, parts, preparation
from openagent.management.preparation import CannotStart
from openagent.management.run import Run

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked us to stop; like KeyboardInterrupt it is no error, so nothing else catches it."""


def main(arguments: Sequence[str], *, settings: str = "openagent.settings") -> int:
    """The exit code. Whatever module of settings the environment names is of no interest here."""
    for number in _SIGNALS:
        signal.signal(number, _stop_once)
    # What we and the parts write is for this user; what others need is opened where it is made.
    os.umask(0o077)
    try:
        return _up(_parse(arguments), settings)
    except (CannotStart, env.SettingError) as error:
        print(f"Cannot start: {error}", file=sys.stderr)
        return 1
    except Stopped:
        print("Stopped.", flush=True)
        return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="manage.py up", description="Runs the whole platform.")
    parser.add_argument("--host", default=env.text("OPENAGENT_HOST", "127.0.0.1"))
    parser.add_argument(
        "--port", type=int, default=env.number("OPENAGENT_PORT", 8000, maximum=65535), help="0: any free one"
    )
    parser.add_argument("--data-dir", type=Path, default=data_dir.current().root)
    parser.add_argument("--dev", action="store_true", help="also serve the frontend's sources with Vite")
    return parser.parse_args(arguments)


def _up(options: argparse.Namespace, settings: str) -> int:
    data = data_dir.DataDir(options.data_dir.expanduser().absolute())
    host = "127.0.0.1" if options.host == "localhost" else options.host
    preparation.make_directories(data)
    lock = preparation.take_lock(data)
    preparation.make_secrets(data)
    port = preparation.choose_port(host, options.port)
    redis = _redis()
    environment = _environment(data, host, port, dev=options.dev)
    environment["DJANGO_SETTINGS_MODULE"] = settings
    driver = choice.driver(data, _agents(data), say=lambda text: print(text, flush=True))
    environment["OPENAGENT_DRIVER"] = driver
    _prepare(data, environment)
    listed = parts.every(data, host=host, port=port, redis=redis, vite=options.dev, driver=driver)
    run = Run(data, lock, environment, host, port)
    try:
        run.start(parts.configuration(listed, data))
        run.wait_until_ready()
        _greet(data, host, port, environment)
        run.watch()
        raise CannotStart(f"The supervisor ended by itself; see {data.logs / 'supervisor.log'}.")
    except Stopped:
        print("Stopping...", flush=True)
        raise
    finally:
        run.stop()


def _stop_once(number: int, frame: FrameType | None) -> None:
    # A second Ctrl-C must not interrupt the ordered stop, which is short. Ignoring would be inherited.
    for each in _SIGNALS:
        signal.signal(each, lambda *_: None)
    raise Stopped


def _redis() -> Path | None:
    """The server to run, or nothing when one is given."""
    if env.secret("REDIS_URL", required=False):
        return None
    if found := parts.find_redis():
        return found
    raise CannotStart("There is no Redis. Install redis-server, or give the address of one in REDIS_URL.")


def _environment(data: data_dir.DataDir, host: str, port: int, *, dev: bool) -> dict[str, str]:
    environment = env.inherited()
    environment["OPENAGENT_DATA_DIR"] = str(data.root)
    environment["PYTHONUNBUFFERED"] = "1"
    # `prepare` has just made Django's checks, for every part.
    environment["CELERY_SKIP_CHECKS"] = "1"
    if dev:
        environment["OPENAGENT_URL"] = f"http://{_address(host)}:{port}"
        environment.setdefault("OPENAGENT_LOG_FORMAT", "console")
    needs_code = preparation.is_for_others(host, env.text("OPENAGENT_PUBLIC_URL", ""))
    if needs_code and not env.secret("OPENAGENT_SETUP_CODE", required=False):
        environment["OPENAGENT_SETUP_CODE"] = f"{secrets.randbelow(10**8):08d}"
    if host not in preparation.LOOPBACK:
        environment.setdefault("OPENAGENT_ALLOWED_HOSTS", ",".join(preparation.host_names(host)))
    return environment


def _prepare(data: data_dir.DataDir, environment: dict[str, str]) -> None:
    agents = _agents(data)
    stage = str(data_dir.CHECKOUT / "deploy" / "agents" / "stage")
    _run_to_end("the coding agents", [stage, str(agents)], data, environment)
    command = [sys.executable, str(data_dir.CHECKOUT / "manage.py"), "prepare"]
    _run_to_end("the database", command, data, environment)


def _agents(data: data_dir.DataDir) -> Path:
    return env.path("OPENAGENT_AGENTS_DIR", data.agents)


def _run_to_end(what: str, command: list[str], data: data_dir.DataDir, environment: dict[str, str]) -> None:
    log = data.logs / "prepare.log"
    with log.open("w") as out:
        done = subprocess.run(
            command, env=environment, cwd=data_dir.CHECKOUT, stdout=out, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode != 0:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
        raise CannotStart(f"{what} could not be prepared; see {log}. It ends with:\n{last}")


def _greet(data: data_dir.DataDir, host: str, port: int, environment: dict[str, str]) -> None:
    print(f"OpenAgent is ready at http://{_address(host)}:{port}", flush=True)
    if "OPENAGENT_URL" in environment:
        print(f"The frontend's sources are served at http://localhost:{parts.VITE_PORT}", flush=True)
    print(f"Data and logs are in {data.root}. Stop with Ctrl-C.", flush=True)
    if preparation.is_for_others(host, env.text("OPENAGENT_PUBLIC_URL", "")):
        code = env.secret("OPENAGENT_SETUP_CODE", required=False) or environment["OPENAGENT_SETUP_CODE"]
        print(f"Set-up code, asked for when the first account is made: {code}", flush=True)


def _address(host: str) -> str:
    """How a browser on this machine writes it."""
    if host in {"0.0.0.0", "::"}:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
