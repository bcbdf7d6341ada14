"""Tells apt in the box where this host has the packages of its system from, as the environment says.

Root's apt finds it where it always looks. Anybody else's gets folders of their own: packages are looked up
and fetched there, and unpacked into a folder whose programs and libraries are found (`own_dpkg`).
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import MutableMapping
from pathlib import Path

from sidecar.box import own_dpkg

SOURCES = "OPENAGENT_APT_SOURCES"
"""A source on each line: the distribution, the address, the release, the component, options of the source."""

ROOT = ".local/share/openagent/packages"
"""Where packages of a user who is not root are unpacked, below their home."""

_FOLDERS = (
    *("state/lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/auth.conf.d"),
    *("etc/preferences.d", "etc/trusted.gpg.d", "log", "unpacked"),
)
# What is installed: where dpkg has it, and where a box finds it that has no more of its system than /usr.
_PRESENT = ("var/lib/dpkg/status", "opt/openagent/dpkg-status")
# Where packages have what other programs look for, and the names of the lists in which they look.
_FOUND = {
    "PATH": ("usr/bin", "usr/sbin", "usr/games", "bin"),
    "LD_LIBRARY_PATH": ("usr/lib/{triplet}", "lib/{triplet}", "usr/lib"),
    "LIBRARY_PATH": ("usr/lib/{triplet}", "usr/lib"),
    "CPATH": ("usr/include", "usr/include/{triplet}"),
    "PKG_CONFIG_PATH": ("usr/lib/{triplet}/pkgconfig", "usr/share/pkgconfig"),
    "PERL5LIB": ("usr/share/perl5", "usr/lib/{triplet}/perl5"),
}

_NO_SOURCES = (
    "OpenAgent: the machine that boxes run on has no sources of packages for {system}, and the box has none "
    "of its own: nothing can be installed with apt."
)


def configure(environment: MutableMapping[str, str], *, is_root: bool, system: Path = Path("/")) -> None:
    """Before anything else runs. Sources of another distribution or release are left out; OSError."""
    about = _about(system / "etc" / "os-release")
    lines = [
        _line(words, about, system)
        for line in environment.get(SOURCES, "").splitlines()
        if _is_for(words := line.split(), about)
    ]
    text = "".join(f"{line}\n" for line in lines)
    said = "" if text or _has_sources(system) else _NO_SOURCES.format(system=about.get("PRETTY_NAME", "it"))
    if not is_root:
        _for_user(environment, text, system, said)
    elif text:
        folder = system / "etc" / "apt"
        (folder / "sources.list").write_text(text)
        # Those that the image came with are others.
        (folder / "sources.list.d" / f"{about['ID']}.sources").unlink(missing_ok=True)
    elif said and (folder := system / "etc/apt/apt.conf.d").is_dir():
        (folder / "90openagent").write_text(_saying(said))


def _has_sources(system: Path) -> bool:
    """Whether the box came with any."""
    folder = system / "etc" / "apt"
    files = [
        folder / "sources.list",
        *folder.glob("sources.list.d/*.sources"),
        *folder.glob("sources.list.d/*.list"),
    ]
    return any(file.is_file() and file.stat().st_size for file in files)


def _for_user(environment: MutableMapping[str, str], sources: str, system: Path, said: str) -> None:
    root = Path(environment["HOME"], ROOT)
    status = next((system / path for path in _PRESENT if (system / path).is_file()), None)
    if status is None:
        return
    folder = Path(environment["HOME"], ".cache", "openagent", "apt")
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    own_dpkg.put(folder / "sources.list", sources)
    program = [
        sys.executable,
        "-I",
        str(Path(own_dpkg.__file__).resolve()),
        *map(str, (folder, root, status)),
    ]
    own_dpkg.put(folder / "dpkg", f'#!/bin/sh\nexec {shlex.join(program)} "$@"\n')
    (folder / "dpkg").chmod(0o755)
    own_dpkg.tell(folder, status)
    words = _configuration(folder, system, environment.get("SSL_CERT_FILE", ""), has_sources=bool(sources))
    own_dpkg.put(folder / "apt.conf", words + (_saying(said) if said else ""))
    environment["APT_CONFIG"] = str(folder / "apt.conf")
    _find(environment, root)


def _saying(message: str) -> str:
    """apt says this whenever it has looked for packages."""
    command = f"printf '%s\\n' {shlex.quote(message)} >&2"
    return f"APT::Update::Post-Invoke:: {_value(command)};\n"


def _value(text: str) -> str:
    """As apt reads it: in quotes all but a quote stands for itself, without them bytes have numbers."""
    if text.isprintable() and '"' not in text:
        return f'"{text}"'
    return "".join(f"%{byte:02X}" for byte in os.fsencode(text))


def _find(environment: MutableMapping[str, str], root: Path) -> None:
    """What is unpacked there is found, after what there is already."""
    triplet = f"{os.uname().machine}-linux-gnu"
    for name, folders in _FOUND.items():
        own = [str(root / folder.format(triplet=triplet)) for folder in folders]
        environment[name] = ":".join([*filter(None, [environment.get(name, "")]), *own])


def _is_for(words: list[str], about: dict[str, str]) -> bool:
    if len(words) < 4 or not about.get("VERSION_CODENAME"):
        return False
    release = words[2].partition("-")[0].partition("/")[0]
    return words[0].lower() == about.get("ID") and release == about["VERSION_CODENAME"]


def _line(words: list[str], about: dict[str, str], system: Path) -> str:
    _, address, release, component, *options = words
    keyring = f"usr/share/keyrings/{about['ID']}-archive-keyring.gpg"
    if (system / keyring).exists():
        options.append(f"signed-by=/{keyring}")
    chosen = f"[{' '.join(options)}] " if options else ""
    return f"deb {chosen}{address} {release} {component}"


def _configuration(folder: Path, system: Path, authorities: str, *, has_sources: bool) -> str:
    ours = {"Dir::Etc::SourceList": folder / "sources.list", "Dir::Etc::SourceParts": os.devnull}
    values = {
        **({} if (system / "etc/apt").is_dir() else {"Dir::Etc": folder / "etc"}),
        # What the system has there is for its own packages.
        "Dir::Etc::Parts": folder / "etc/apt.conf.d",
        **(ours if has_sources else {}),
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "state/status",
        "Dir::Cache": folder / "cache",
        "Dir::Log": folder / "log",
        "Dir::Bin::dpkg": folder / "dpkg",
        # What the system has stays as it is.
        "APT::Get::Upgrade": "false",
        **({"Acquire::https::CAInfo": authorities} if authorities else {}),
        "Acquire::GzipIndexes": "true",
        "Acquire::Languages": "none",
    }
    return "".join(f"{name} {_value(str(value))};\n" for name, value in values.items())


def _about(file: Path) -> dict[str, str]:
    """What the system says of itself, in words as a shell reads them."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    about: dict[str, str] = {}
    for name, _, value in (line.partition("=") for line in lines):
        # What no shell would read nobody has to understand.
        with contextlib.suppress(ValueError):
            about[name] = "".join(shlex.split(value)[:1])
    return about
