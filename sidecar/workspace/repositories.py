"""Has git in the box know the way to the session's repositories, and clone the first of them; no secret."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Iterable

from sidecar import log
from sidecar.agents.base import Box, Process
from sidecar.protocol.git import Repository

SECONDS = 10.0
CLONE_SECONDS = 60.0
"""Less than what the platform lets a start take, with the agent's part of it."""
_ANSWER_BYTES = 1000
_READ_BYTES = 16 * 1024

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

_CLONE = """
mark="$HOME/.openagent-cloned"
if [ -e "$mark" ] || [ -n "$(ls -A .)" ]; then exit 0; fi
git clone -q ${2:+--branch "$2"} -- "$1" . && : > "$mark"
"""

_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")

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


async def clone(box: Box, repository: Repository) -> str:
    """Have git in the box fill an empty workspace, once for all starts: empty, or what went wrong.

    The words are git's own, and so the box's: cut, and without anything but text.
    """
    address = f"https://{repository.host}/{repository.path}.git"
    words = ["sh", "-c", f"{{ {_CLONE} }} 2>&1", "sh", address, repository.branch]
    try:
        process = await box.exec(words, env={"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}, cwd=".")
        try:
            async with asyncio.timeout(CLONE_SECONDS):
                said = await _end_of(process)
                code = await process.wait()
        except TimeoutError:
            # Git takes away what it has of it.
            await process.kill(signal.SIGTERM)
            return f"It took more than {CLONE_SECONDS:g} seconds. Clone it in the session."
    except OSError as error:
        return str(error) or "The box did not answer."
    if code == 0:
        return ""
    _log.warning("the repository was not cloned", said=said)
    return said or f"Git ended with code {code}."


async def _end_of(process: Process) -> str:
    """The end of what it says; all of it is read."""
    said = b""
    while piece := await process.stream.read(_READ_BYTES):
        said = (said + piece)[-_ANSWER_BYTES:]
    return _UNPRINTABLE.sub(" ", said.decode("utf-8", "replace")).strip()
