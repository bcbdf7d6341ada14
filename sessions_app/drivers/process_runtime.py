"""Copies what runs inside of instances to where other users may read it: the sidecar's code and the box's.

The checkout may lie where nobody but root can enter, and may change under a running instance. A copy is named
after its content, complete from the moment it has its name, and never changed.
"""

from __future__ import annotations

import compileall
import contextlib
import hashlib
import json
import os
import py_compile
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sessions_app.drivers import files, seccomp

BOX_USER = "agent"
BOX_UID = 1000
UNUSED_SECONDS = 3600

# A box knows one user, and no host but itself.
BOX_ETC = {
    "passwd": "root:x:0:0:root:/root:/usr/sbin/nologin\n"
    f"{BOX_USER}:x:{BOX_UID}:{BOX_UID}::/home/{BOX_USER}:/bin/bash\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": f"root:x:0:\n{BOX_USER}:x:{BOX_UID}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost box\n::1 localhost\n",
    "hostname": "box\n",
    # Whoever makes a commit in there can still be somebody else.
    "gitconfig": "[user]\n\tname = OpenAgent\n\temail = openagent@localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}

NOTHING = "nothing"
"""The name of an empty file, which stands in a box for what it must not read of the host."""


def stage(sidecar: Path, destination: Path) -> Path:
    """The folder of the current copy under `destination`, made now if it is not there.

    It holds `sidecar/` (to import from), `box/` (to run), and for the box `etc/`, NOTHING and its `filter`.
    """
    box_filter = seccomp.box_filter()
    name = _digest(sidecar, box_filter)
    target = destination / name
    with contextlib.suppress(FileNotFoundError):
        os.utime(target)  # It is in use: see `prune`.
        return target
    unfinished = Path(tempfile.mkdtemp(prefix=".new-", dir=destination))
    try:
        _fill(unfinished, sidecar)
        (unfinished / "filter").write_bytes(box_filter)
        _open_to_all(unfinished)
        unfinished.rename(target)
    except OSError:
        shutil.rmtree(unfinished, ignore_errors=True)
        if not target.exists():  # Somebody else was quicker.
            raise
    return target


def prune(destination: Path, instances: Path) -> None:
    """Remove copies that no instance was made from, and that nobody is about to make one from."""
    used = set()
    for plan in instances.glob("*/plan.json"):
        content = files.read_json(plan)
        used.add(Path(str((content or {}).get("runtime", ""))).name)
    for folder in destination.iterdir():
        if folder.name not in used and time.time() - folder.stat().st_mtime > UNUSED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _digest(sidecar: Path, box_filter: bytes) -> str:
    digest = hashlib.sha256(json.dumps([BOX_ETC, NOTHING]).encode() + box_filter)
    for file in _sources(sidecar):
        digest.update(f"\n{file.relative_to(sidecar)}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _sources(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if "__pycache__" not in file.parts and file.is_file():
            yield file


def _fill(target: Path, sidecar: Path) -> None:
    for file in _sources(sidecar):
        copy = target / "sidecar" / "sidecar" / file.relative_to(sidecar)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    box = target / "box" / "sidecar" / "box"
    shutil.copytree(target / "sidecar" / "sidecar" / "box", box)
    shutil.copyfile(sidecar / "__init__.py", box.parent / "__init__.py")
    shutil.copyfile(sidecar / "box" / "__main__.py", target / "box" / "__main__.py")
    etc = target / "etc"
    etc.mkdir()
    for name, content in BOX_ETC.items():
        (etc / name).write_text(content)
    (target / NOTHING).touch()
    # Nobody can write beside the code later. Unchecked, because a copy never changes.
    compileall.compile_dir(
        target / "sidecar", quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )


def _open_to_all(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        os.chmod(parent, 0o755)
        for name in names:
            os.chmod(os.path.join(parent, name), 0o644)
