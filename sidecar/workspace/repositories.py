"""Has git in the box know the way to the session's repositories, and clone the first of them; no secret."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from sidecar import log
from sidecar.agents.base import Box, Process
from sidecar.protocol.git import Repository

SECONDS = 10.0
CLONE_SECONDS = 1800.0
"""However it goes on: what runs in a box may say for ever that it does."""
SILENT_SECONDS = 30.0
"""Less than what the platform lets a start take that does not go on, with the agent's part of it."""
END_SECONDS = 2.0
"""For git to take away what it has of a clone that is given up."""
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

# In a folder of its own, so that what a clone that was cut off has left is known for what it is; a checkout
# that was cut off is made again. Who is ended waits for git, which takes away what it has of it.
_CLONE = """
mark="$HOME/.openagent-cloned" part=.openagent-clone begun=.git/openagent-checkout
trap : TERM
rm -rf "$part"
if [ -e "$mark" ]; then exit 0; fi
if [ ! -e "$begun" ]; then
  if [ -n "$(ls -A .)" ]; then exit 0; fi
  git clone --progress --no-checkout ${2:+--branch "$2"} -- "$1" "$part" &&
  : > "$part/$begun" && mv "$part/.git" .git && rmdir "$part" || exit
fi
rm -f .git/index.lock
if git rev-parse -q --verify HEAD >/dev/null; then git checkout --progress -f HEAD >/dev/null || exit; fi
git config user.name OpenAgent && git config user.email openagent@localhost
: > "$mark" && rm -f "$begun"
"""

_PROGRESS = re.compile(r"(?:remote: )?([A-Z][a-z]+(?: [a-z]+){0,2}): +(\d{1,3})% ")
_REMARK = re.compile(r"(?:remote: )?[A-Z][a-z]+(?: [a-z]+){0,2}: +\d+.*|remote: Total .*|Cloning into .*")
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


async def bring(
    box: Box, claimed: Sequence[Repository], port: int, on_progress: Callable[[str], None]
) -> str:
    """Lead to all of them, and clone the first; empty, or what went wrong, in words for a person."""
    await lead(box, (each.host for each in claimed), port)
    if not (why := await clone(box, claimed[0], on_progress)):
        return ""
    return f"{claimed[0].host}/{claimed[0].path} was not cloned, or not as a whole. {why}"


async def clone(box: Box, repository: Repository, on_progress: Callable[[str], None]) -> str:
    """Have git in the box fill an empty workspace, once for all starts: empty, or what went wrong.

    `on_progress` hears how far it is whenever git says something. The words are git's own, and so the box's:
    cut, and without anything but text.
    """
    address = f"https://{repository.host}/{repository.path}.git"
    words = ["sh", "-c", f"{{ {_CLONE} }} 2>&1", "sh", address, repository.branch]
    try:
        process = await box.exec(words, env={"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}, cwd=".")
        try:
            async with asyncio.timeout(CLONE_SECONDS) as span:
                said = await _follow(process, on_progress)
                code = await process.wait()
        except TimeoutError:
            await _give_up(process)
            if span.expired():
                return f"It was not done after {CLONE_SECONDS / 60:g} minutes. Clone it in the session."
            return f"It did not go on for {SILENT_SECONDS:g} seconds. Clone it in the session."
        except asyncio.CancelledError:
            await _give_up(process)
            raise
    except OSError as error:
        return str(error) or "The box did not answer."
    if code == 0:
        return ""
    _log.warning("the repository was not cloned", said=said)
    return said or f"Git ended with code {code}."


async def _follow(process: Process, on_progress: Callable[[str], None]) -> str:
    """The end of what it says, but for how far it was. TimeoutError when it says nothing for long."""
    said = b""
    while True:
        async with asyncio.timeout(SILENT_SECONDS):
            piece = await process.stream.read(_READ_BYTES)
        if not piece:
            break
        said = (said + piece)[-_ANSWER_BYTES:]
        far = _PROGRESS.findall(piece.decode("utf-8", "replace"))
        on_progress(f"{far[-1][0]}: {far[-1][1]} %" if far else "")
    lines = re.split(r"[\r\n]+", said.decode("utf-8", "replace"))
    return _UNPRINTABLE.sub(" ", " ".join(line for line in lines if not _REMARK.fullmatch(line))).strip()


async def _give_up(process: Process) -> None:
    """Give git the time to take away what it has of it."""
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(END_SECONDS):
            await process.kill(signal.SIGTERM)
            await process.wait()
