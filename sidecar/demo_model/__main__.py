"""Runs the demo model by itself: prints its address, serves until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from sidecar.demo_model import scripts, serve


def main() -> None:
    """Parse the arguments, serve, end cleanly on SIGINT and SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m sidecar.demo_model",
        description="A scripted model that speaks the APIs of OpenAI, Anthropic and Google.",
        epilog="Scripts, named in a prompt as '/demo NAME': " + ", ".join(sorted(scripts.catalogue())),
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8999, help="0 takes any free one")
    parser.add_argument("--log", type=Path, help="append one JSON line per request to this file")
    parser.add_argument("--require-key", default="", help="answer 401 to any other key")
    parser.add_argument("--pace-ms", type=float, help="milliseconds between two pieces of text")
    arguments = parser.parse_args()
    asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> None:
    pace = None if arguments.pace_ms is None else arguments.pace_ms / 1000
    server = await serve(
        host=arguments.host,
        port=arguments.port,
        pace=pace,
        require_key=arguments.require_key,
        log=arguments.log,
    )
    print(f"demo model on {server.url}", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await server.close()


if __name__ == "__main__":
    main()
