"""Finds the package registries of this host, by asking its own pip, npm and apt how they are configured.

Nothing here knows the name of any registry: a mirror is found as the original is. Where the files of an index
lie is asked of the index itself, for many keep them on another host.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from openagent.lib import env, plain_address, safe_http
from openagent.lib.errors import AppError

TOOLS = ("pip", "npm", "apt")

_SECONDS = 30
_LIMITS = safe_http.Limits(seconds=15.0, body_bytes=8 << 20)
_REDIRECTS = 3
_PORTS = {"http": 80, "https": 443}

# What every index has: the tool that reads it.
_PAGES = {"pip": "pip/", "npm": "npm/latest"}
_ACCEPTED = {
    "pip": "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1",
    "npm": "application/json",
}
_PIP_DEFAULT = re.compile(r"--index-url <url>.*?\(default:?\s*(https?://[^\s)]+)\)", re.DOTALL)
_PIP_SET = re.compile(r"^(?:global|install|download|:env:)\.(?P<name>[a-z-]+)='(?P<value>.*)'$", re.MULTILINE)
# What a distribution calls itself, its releases and their parts.
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+/_-]*")
_ORIGIN = re.compile(r"^Origin: ([A-Za-z0-9][A-Za-z0-9.+/_-]*)$", re.MULTILINE)
# How old what a mirror says may be, for some stand still on purpose: apt's name for all sources, and for one.
_APT_OPTIONS = {"Acquire::Check-Valid-Until": "check-valid-until", "Acquire::Check-Date": "check-date"}
_LINK = re.compile(r"""<a\s[^>]*?href\s*=\s*["']([^"']+)["']""", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Registry:
    """A host that a tool of this host gets packages from.

    `is_trusted`: the administrator set it up, so it may have a private address; not so where a public index
    says that its files lie. `index` is the host of the index that it belongs to, which may be itself: then
    `address` is the address of that index without what it may hold of a password, and `is_default` says that
    the tool uses it where nobody says which. `sources` are what apt gets there of a distribution: that, the
    release, the component, and options.
    """

    tool: str
    index: str
    host: str
    port: int
    is_trusted: bool
    address: str = ""
    is_default: bool = False
    sources: tuple[str, ...] = ()


class Index(NamedTuple):
    """Where a tool looks for packages, as it says itself."""

    address: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings:
    """The registries, and in words what could not be found out.

    Of `unsure` ones (tool and index, or tool and nothing) there may be more: who was asked did not answer.
    """

    registries: list[Registry]
    problems: list[str]
    unsure: set[tuple[str, str]]


class Unreadable(AppError):
    """A tool does not say how it is configured; the message is for the administrator."""

    def __init__(self, message: str, *, is_absent: bool = False) -> None:
        super().__init__("registries_unreadable", message, 500)
        self.is_absent = is_absent


def find(tools: Iterable[str]) -> Findings:
    """What these tools of this host use."""
    findings = Findings([], [], set())
    for tool in tools:
        try:
            indexes = _READERS[tool]()
        except Unreadable as error:
            findings.problems.append(error.message)
            if not error.is_absent:
                findings.unsure.add((tool, ""))
            continue
        for number, index in enumerate(indexes):
            _add_index(tool, index, findings, is_default=number == 0)
    problems = list(dict.fromkeys(findings.problems))
    return Findings(sorted(_without_doubles(findings.registries)), problems, findings.unsure)


def _add_index(tool: str, found: Index, findings: Findings, *, is_default: bool) -> None:
    """The host of this index, and those where it says that its files are."""
    address = found.address
    place = _place(address)
    if place is None:
        findings.problems.append(
            f"{tool} has an index that is not at an http or https address: boxes cannot reach it."
        )
        return
    index = place[0]
    told = _without_user(address)
    if not plain_address.is_plain(told):
        told = ""
        findings.problems.append(
            f"The address of {index}, which {tool} uses, may have a token in its path: not all of that are "
            "words. Boxes may reach the host, and are not told the address, so they cannot read the token."
        )
    own = Registry(tool, index, *place, True, told, is_default, found.sources)
    findings.registries.append(own)
    if tool not in _PAGES:
        return
    try:
        files = _files(tool, address)
        # What a public index names must be public: it is not the administrator who says it.
        is_own = not safe_http.is_public(*place)
    except (safe_http.Refused, safe_http.Unreachable) as error:
        findings.problems.append(f"{index} of {tool} does not say where its files are. {error.message}")
        findings.unsure.add((tool, index))
        return
    findings.registries.extend(Registry(tool, index, *other, is_trusted=is_own) for other in files - {place})


def _files(tool: str, address: str) -> set[tuple[str, int]]:
    """Where the files of an index are, the hosts included that it sends whoever asks on to."""
    places: set[tuple[str, int]] = set()
    page = urljoin(address.rstrip("/") + "/", _PAGES[tool])
    for _ in range(_REDIRECTS + 1):
        answer = safe_http.fetch(
            "GET", page, headers={"accept": _ACCEPTED[tool]}, trusted=[address], limits=_LIMITS
        )
        if answer.status // 100 != 3 or "location" not in answer.headers:
            break
        page = urljoin(page, answer.headers["location"])
        places |= _places([page])
    if answer.status != 200:
        raise safe_http.Unreachable(f"It answered with status {answer.status}.")
    return places | _places(urljoin(page, link) for link in _links(tool, answer))


def _links(tool: str, answer: safe_http.Answer) -> list[str]:
    text = answer.body.decode(errors="replace")
    if tool == "pip" and "json" not in answer.headers.get("content-type", ""):
        return _LINK.findall(text)
    try:
        told = json.loads(text)
        links = [entry["url"] for entry in told["files"]] if tool == "pip" else [told["dist"]["tarball"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise safe_http.Unreachable("Its answer was not understood.") from None
    return [link for link in links if isinstance(link, str)]


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
            origin = origin_of(site, which[0])
        if origin:
            known[tuple(which)] = " ".join((origin, *which, *options))
    return [Index(site, tuple(sources.values())) for site, sources in sites.items()]


def _origin(site: str, release: str) -> str:
    """Whose packages these are, as the mirror says; empty when it does not say so."""
    page = f"{site.rstrip('/')}/dists/{release}/InRelease"
    try:
        answer = safe_http.fetch("GET", page, trusted=[site], limits=_LIMITS)
    except (safe_http.Refused, safe_http.Unreachable):
        return ""
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


_READERS: Mapping[str, Callable[[], list[Index]]] = {"pip": _pip, "npm": _npm, "apt": _apt}


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


def _places(addresses: Iterable[str]) -> set[tuple[str, int]]:
    return {place for address in addresses if (place := _place(address)) is not None}


def _place(address: str) -> tuple[str, int] | None:
    """Host and port; never what else may stand in an address, such as a password."""
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    host = (parts.hostname or "").removesuffix(".")
    return (host, port) if host and port and parts.scheme in _PORTS else None


def _without_user(address: str) -> str:
    """The address without a name and a password: what is known of it goes into boxes."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _without_doubles(found: Iterable[Registry]) -> set[Registry]:
    """A host that is trusted need not be there without trust as well."""
    found = set(found)
    trusted = {(each.host, each.port) for each in found if each.is_trusted}
    return {each for each in found if each.is_trusted or (each.host, each.port) not in trusted}
