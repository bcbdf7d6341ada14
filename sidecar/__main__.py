"""Starts one sidecar: `python -m sidecar --config FILE`. Its exit code is one of `sidecar.ending.Exit`."""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

from sidecar import config, health, log
from sidecar.ending import Exit
from sidecar.instance import Instance

_PR_SET_DUMPABLE = 4

_log = log.get(__name__)


def main() -> int:
    """Read the configuration, harden the process, and live."""
    parser = argparse.ArgumentParser(prog="sidecar", description="The trusted program beside one box.")
    parser.add_argument("--config", type=Path, required=True, help="a JSON file, see sidecar.config")
    arguments = parser.parse_args()
    log.configure(os.environ.get("OPENAGENT_LOG_LEVEL", "info"))
    keep_memory_private()
    try:
        loaded = config.load(arguments.config)
    except config.ConfigError as error:
        _log.error("cannot start", reason=str(error))
        return Exit.CONFIG
    return asyncio.run(live(loaded))


def keep_memory_private() -> None:
    """No core dump, and no look into this process for others of the same user: it holds keys."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        _log.warning("the process stays open to debuggers", reason=os.strerror(ctypes.get_errno()))


async def live(loaded: config.Config) -> int:
    """Run the instance with its health checks until it ends or the process is told to."""
    instance = Instance(loaded)
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, instance.stop, "shutdown")
    checks = health.Server(instance.health)
    try:
        await checks.start(port=loaded.health_port, path=loaded.health_socket)
    except OSError as error:
        _log.error("the health check cannot listen", reason=str(error))
        return Exit.CONFIG
    try:
        return await instance.run()
    finally:
        await checks.close()


if __name__ == "__main__":
    sys.exit(main())
