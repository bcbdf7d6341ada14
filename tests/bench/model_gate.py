"""The model proxy of one session: `python -m tests.bench.model_gate SOCKET BASE_URL` until its input ends."""

from __future__ import annotations

import asyncio
import sys

from sidecar.gate.models import ModelGate
from sidecar.protocol.frames import Provider


async def _key() -> str:
    return "sk-measured-0123456789abcdefghijklmnopqrstuv"


async def _main(path: str, base_url: str) -> None:
    provider = Provider(id="groq", name="Groq", wire="openai-chat", base_url=base_url, needs_key=True)
    gate = ModelGate(provider, _key, lambda usage, turn: None)
    async with await asyncio.start_unix_server(gate.handle, path):
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        await gate.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2]))
