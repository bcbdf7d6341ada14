"""Asks pip, npm and apt of this host where they get packages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from openagent.lib import env, safe_http
from openagent.lib.errors import AppError

_SECONDS = 30
_LIMITS = safe_http.Limits(seconds=15.0, body_bytes=8 << 20)

_PIP_DEFAULT = re.compile(r"--index-url <url>.*?\(default:?\s*(https?://[^\s)]+)\)", re.DOTALL)
_PIP_SET = re.compile(r"^(?:global|install|download|:env:)\.(?P<name>[a-z-]+)='(?P<value>.*)'$", re.MULTILINE)
# What a distribution calls itself, its releases and their parts.
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+/_-]*")
_ORIGIN = re.compile(r"^Origin: ([A-Za-z0-9][A-Za-z0-9.+/_-]*)$", re.MULTILINE)
# How old what a mirror says may be, for some stand still on purpose: apt's name for all sources, and for one.
_APT_OPTIONS = {"Acquire::Check-Valid-Until": "check-valid-until", "Acquire::Check-Date": "check-date"}


class Index(NamedTuple):
    """Where a tool looks for packages, as it says itself.

    `is_unsure` says that there may be more sources: nobody answered whose they are.
    """

    address: str
    sources: tuple[str, ...] = ()
    is_unsure: bool = False


class Unreadable(AppError):
    """A tool does not say how it is configured; the message is for the administrator."""

    def __init__(self, message: str, *, is_absent: bool = False) -> None:
        super().__init__("registries_unreadable", message, 500)
        self.is_absent = is_absent


def _pip() -> list[Index]:
    pip = [sys.executable, "-m", "pip"]
    if not _answers([*pip, "--version"]):
        pip = [_program("pip3")]
    # Its help names the default that holds, whether it is pip's own or was set, and without any password.
    told = _PIP_DEFAULT.search(_run([*pip, "install", "--help"]))
    settings = {m["name"]: m["value"] for m in _PIP_SET.finditer(_run([*pip, "config", "list"]))}
    more = settings.get("extra-index-url", "").replace("\\n", " ").split()
    if told is None:
        raise Unreadable("pip does not say which index it uses.")
    return [Index(address) for address in (told[1], *more)]


def _npm() -> list[Index]:
    try:
        told: Mapping[str, Any] = json.loads(_run([_program("npm"), "config", "list", "--json"]))
    except ValueError:
        raise Unreadable("npm does not say which registry it uses.") from None
    names = (name for name in told if name == "registry" or name.endswith(":registry"))
    # The default first, then those of scopes.
    return [Index(told[name]) for name in sorted(names, key="registry".__ne__) if isinstance(told[name], str)]


def _apt() -> list[Index]:
    wanted = "$(SITE)\t$(ORIGIN)\t$(RELEASE)\t$(COMPONENT)"
    asked = [_program("apt-get"), "indextargets", "--format", wanted]
    # Of lists that it has not fetched yet it tells only when it need not say whose they are.
    lines = dict.fromkeys(f"{_run(asked)}\n{_run([*asked, '--no-release-info'])}".splitlines())
    sites: dict[str, dict[tuple[str, ...], str]] = {}
    silent: set[str] = set()
    options, origin_of = _apt_options(), cache(_origin)
    for line in lines:
        site, *source = line.split("\t")
        if not site.startswith(("http://", "https://")):
            continue
        known = sites.setdefault(site, {})
        origin, *which = source if len(source) == 3 else ("",)
        if tuple(which) in known or not which or not all(map(_WORD.fullmatch, which)):
            continue
        if not _WORD.fullmatch(origin):
            found = origin_of(site, which[0])
            if found is None:
                silent.add(site)
            origin = found or ""
        if origin:
            known[tuple(which)] = " ".join((origin, *which, *options))
    return [Index(site, tuple(sources.values()), site in silent) for site, sources in sites.items()]


def _origin(site: str, release: str) -> str | None:
    """Whose packages these are, as the mirror says; empty when it does not, None when nobody answers."""
    page = f"{site.rstrip('/')}/dists/{release}/InRelease"
    try:
        answer = safe_http.fetch("GET", page, trusted=[site], limits=_LIMITS)
    except safe_http.Refused:
        return ""
    except safe_http.Unreachable:
        return None
    if answer.status >= 500:
        return None
    told = _ORIGIN.search(answer.body.decode(errors="replace")) if answer.status == 200 else None
    return told[1] if told else ""


def _apt_options() -> list[str]:
    program = shutil.which("apt-config")
    if program is None:
        return []
    variables = {option.replace("-", "_"): name for name, option in _APT_OPTIONS.items()}
    told = _run([program, "shell", *(word for pair in variables.items() for word in pair)])
    refused = re.findall(r"^(\w+)='(?:false|no|0)'$", told, re.MULTILINE)
    return [f"{variable.replace('_', '-')}=no" for variable in refused]


READERS: Mapping[str, Callable[[], list[Index]]] = {"pip": _pip, "npm": _npm, "apt": _apt}


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Unreadable(f"{name} is not here, so nobody can say which registry it uses.", is_absent=True)
    return found


def _answers(command: list[str]) -> bool:
    try:
        _run(command)
    except Unreadable:
        return False
    return True


def _run(command: list[str]) -> str:
    """What it prints. Elsewhere than where we are: a folder of somebody's project may have settings too."""
    # Wide enough that no address is broken into two lines.
    wide = {**env.inherited(), "COLUMNS": "2000", "NO_COLOR": "1"}
    try:
        done = subprocess.run(
            command, cwd="/", env=wide, capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        raise Unreadable(f"{command[0].rpartition('/')[2]} does not answer when it is asked.") from None
    return done.stdout
