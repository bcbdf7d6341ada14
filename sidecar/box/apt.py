"""Tells apt in the box where this host has the packages of its system from, as the environment says.

Root's apt finds it where it always looks. Anybody else's gets folders of their own, in which packages are
looked up and fetched; they cannot be installed, and it says what can be done instead.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import MutableMapping
from pathlib import Path

SOURCES = "OPENAGENT_APT_SOURCES"
"""A source on each line: the distribution, the address, the release, the component, options of the source."""

_FOLDERS = (
    *("state/lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/auth.conf.d"),
    *("etc/preferences.d", "etc/trusted.gpg.d"),
)
_NOT_ROOT = (
    "OpenAgent: the user of this box is not root, so packages cannot be installed. Fetch one with "
    "`apt-get download NAME` and unpack it with `dpkg -x NAME*.deb FOLDER`. An administrator can let boxes "
    "run as root (OPENAGENT_BOX_ROOT)."
)


def configure(environment: MutableMapping[str, str], *, is_root: bool, system: Path = Path("/")) -> None:
    """Before anything else runs. Sources of another distribution or release are left out; OSError."""
    about = _about(system / "etc" / "os-release")
    lines = [
        _line(words, about, system)
        for line in environment.get(SOURCES, "").splitlines()
        if _is_for(words := line.split(), about)
    ]
    if not lines:
        return
    text = "".join(f"{line}\n" for line in lines)
    if is_root:
        folder = system / "etc" / "apt"
        (folder / "sources.list").write_text(text)
        # Those that the image came with are others.
        (folder / "sources.list.d" / f"{about['ID']}.sources").unlink(missing_ok=True)
        return
    folder = Path(environment["HOME"], ".cache", "openagent", "apt")
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text(text)
    (folder / "apt.conf").write_text(_configuration(folder, system, environment.get("SSL_CERT_FILE", "")))
    environment["APT_CONFIG"] = str(folder / "apt.conf")


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


def _configuration(folder: Path, system: Path, authorities: str) -> str:
    # Where a box has only the programs of a system, nothing says what is installed.
    status = Path("/var/lib/dpkg/status")
    known = status if (system / status.relative_to("/")).exists() else os.devnull
    values = {
        **({} if (system / "etc/apt").is_dir() else {"Dir::Etc": folder / "etc"}),
        "Dir::State": folder / "state",
        "Dir::State::status": known,
        "Dir::Cache": folder / "cache",
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": os.devnull,
        **({"Acquire::https::CAInfo": authorities} if authorities else {}),
        "Acquire::GzipIndexes": "true",
        "Acquire::Languages": "none",
        "APT::Update::Post-Invoke::": f"echo {shlex.quote(_NOT_ROOT)} >&2",
    }
    return "".join(f'{name} "{value}";\n' for name, value in values.items())


def _about(file: Path) -> dict[str, str]:
    """What the system says of itself."""
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines)
    return {name: value.strip("\"'") for name, _, value in pairs}
