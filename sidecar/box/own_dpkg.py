"""What apt runs in place of dpkg for a user who is not root: it unpacks packages into a folder of that user.

`own_dpkg.py FOLDER ROOT SYSTEM ARGUMENTS...` as dpkg with these arguments: FOLDER is where apt has its state,
ROOT where packages are unpacked, SYSTEM what is installed for everybody. Programs that packages bring for
their own set-up are not run, and what the system has is not replaced: programs rely on it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_DPKG = "/usr/bin/dpkg"
# What a package says of itself need not be UTF-8, and what is in a home may be anything.
_AS_IT_IS: Any = {"encoding": "utf-8", "errors": "surrogateescape"}
_INSTALLED = "Status: install ok installed"
_UNPACKED = ("half-installed", "unpacked")
_CONFIGURED = ("unpacked", "half-configured", "installed")
_DONE = (
    "OpenAgent: unpacked into {root}, for the user of this box is not root. What packages do when they are "
    "set up was not done."
)
_NOT_REPLACED = (
    "OpenAgent: {name} belongs to the system of this box, and only root could replace it. An administrator "
    "can let boxes run as root (OPENAGENT_BOX_ROOT)."
)
_NOT_REMOVED = "OpenAgent: packages stay where they were unpacked; delete what is not wanted from {root}."


class Refused(Exception):
    """The message says why this cannot be done here."""


def tell(folder: Path, system: Path) -> None:
    """Tells apt what is there: what the system has, and what was unpacked for this user."""
    texts = [_read(file).strip() for file in (system, *_own(folder))]
    new = folder / "state" / "status.new"
    put(new, "\n\n".join(texts) + "\n")
    new.replace(folder / "state" / "status")


def put(file: Path, text: str) -> None:
    """Writes it, whatever is there: nothing is written through a link, and no pipe is waited for."""
    file.unlink(missing_ok=True)
    file.write_text(text, **_AS_IT_IS)


def _read(file: Path) -> str:
    return file.read_text(**_AS_IT_IS)


def _own(folder: Path) -> list[Path]:
    return sorted(file for file in (folder / "unpacked").glob("*") if file.is_file())


def run(folder: Path, root: Path, system: Path, arguments: list[str]) -> None:
    """As dpkg with these arguments. Refused, OSError, or the error of a program."""
    if "--unpack" in arguments:
        debs = list(_debs(arguments))
        _check(debs, system)
        for deb in debs:
            _unpack(deb, folder, root)
            _report(arguments, _field(deb, "Package"), _field(deb, "Architecture"), _UNPACKED)
        tell(folder, system)
    elif "--configure" in arguments:
        for file in _own(folder):
            name, _, architecture = file.name.partition(":")
            if name in arguments or file.name in arguments or "--pending" in arguments:
                _report(arguments, name, architecture, _CONFIGURED)
        print(_DONE.format(root=root), flush=True)
    elif "--set-selections" in arguments:
        sys.stdin.read()
    elif {"--remove", "--purge"} & set(arguments):
        raise Refused(_NOT_REMOVED.format(root=root))
    else:
        os.execv(_DPKG, [_DPKG, *arguments])


def _debs(arguments: list[str]) -> Iterable[Path]:
    for path in (Path(word) for word in arguments if word.startswith("/")):
        yield from sorted(path.glob("**/*.deb")) if path.is_dir() else [path]


def _check(debs: Iterable[Path], system: Path) -> None:
    present = set()
    for stanza in _read(system).split("\n\n"):
        lines = stanza.splitlines()
        if _INSTALLED in lines:
            present |= {line.removeprefix("Package: ") for line in lines if line.startswith("Package: ")}
    for deb in debs:
        if (name := _field(deb, "Package")) in present:
            raise Refused(_NOT_REPLACED.format(name=name))


def _unpack(deb: Path, folder: Path, root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    name = _field(deb, "Package")
    print(f"Unpacking {name} ({_field(deb, 'Version')}) ...", flush=True)
    subprocess.run(["dpkg-deb", "--extract", str(deb), str(root)], check=True)
    name_line, rest = _field(deb, "").split("\n", 1)
    kept = folder / "unpacked" / f"{name}:{_field(deb, 'Architecture')}"
    put(kept, f"{name_line}\n{_INSTALLED}\n{rest}")


def _field(deb: Path, name: str) -> str:
    """What the package says of itself under this name; without one, all of it."""
    command = ["dpkg-deb", "--field", str(deb), *([name] if name else [])]
    told: str = subprocess.run(command, capture_output=True, check=True, **_AS_IT_IS).stdout
    return told.strip("\n")


def _report(arguments: list[str], name: str, architecture: str, states: Iterable[str]) -> None:
    """apt counts the states that a package goes through."""
    if "--status-fd" not in arguments:
        return
    number = int(arguments[arguments.index("--status-fd") + 1])
    called = name if architecture == "all" else f"{name}:{architecture}"
    text = "".join(f"status: {called}: {state}\n" for state in states)
    os.write(number, text.encode())


def main(arguments: list[str]) -> int:
    """dpkg's exit code: 2 when it cannot be done."""
    folder, root, system = map(Path, arguments[:3])
    try:
        run(folder, root, system, arguments[3:])
    except (Refused, OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
