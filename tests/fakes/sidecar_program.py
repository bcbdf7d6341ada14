"""A fake sidecar as a process of its own, to be killed: `python -m tests.fakes.sidecar_program CONFIG`.

CONFIG is a JSON object with the arguments of FakeSidecar; its agent is a ScriptedAgent.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.fakes.scripted import ScriptedAgent
from tests.fakes.sidecar import FakeSidecar


async def main(path: Path) -> int:
    """Live; the exit code."""
    arguments = json.loads(path.read_text())
    arguments["journal"] = Path(arguments["journal"])
    return await FakeSidecar(agent=ScriptedAgent, **arguments).start()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
