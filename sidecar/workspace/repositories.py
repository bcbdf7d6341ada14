"""Tells git in the box which way leads to the session's repositories: some configuration, no secret."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable

from sidecar import log
from sidecar.agents.base import Box

SECONDS = 10.0
_ANSWER_BYTES = 1000

_SCRIPT = """
set -e
file="$HOME/.openagent-git" gate=$1
shift
rm -f "$file.new"
git config --file "$file.new" "http.$gate.proxy" ""
for host do
  git config --file "$file.new" "url.$gate$host/.insteadOf" "https://$host/"
done
mv -f "$file.new" "$file"
git config --global --get-all include.path | grep -qxF "$file" ||
  git config --global --add include.path "$file"
"""

_log = log.get(__name__)


async def lead(box: Box, hosts: Iterable[str], port: int) -> None:
    """Have git in the box use the gate at its loopback `port` for these hosts.

    A box that does not do it only lacks the way: its git says so, and the session goes on.
    """
    arguments = [f"http://127.0.0.1:{port}/", *sorted(set(hosts))]
    try:
        process = await box.exec(["sh", "-c", _SCRIPT, "sh", *arguments], env={}, cwd="/")
        try:
            async with asyncio.timeout(SECONDS):
                said = await process.stream.read(_ANSWER_BYTES)
                code = await process.wait()
        except TimeoutError:
            await process.kill(signal.SIGKILL)
            raise
    except OSError as error:
        _log.warning("git in the box was not led to the gate", reason=str(error) or "timeout")
        return
    if code != 0:
        _log.warning("git in the box was not led to the gate", said=said.decode("utf-8", "replace"))
