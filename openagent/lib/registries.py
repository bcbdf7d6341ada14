"""Finds the package registries of this host: where its pip, npm and apt say that they get packages.

Nothing here knows the name of any registry: a mirror is found as the original is. Where the files of an index
lie is asked of the index itself, for many keep them on another host.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from openagent.lib import plain_address, registry_tools, safe_http

TOOLS = ("pip", "npm", "apt")

_LIMITS = safe_http.Limits(seconds=15.0, body_bytes=8 << 20)
_REDIRECTS = 3
_PORTS = {"http": 80, "https": 443}

# What every index has: the tool that reads it.
_PAGES = {"pip": "pip/", "npm": "npm/latest"}
_ACCEPTED = {
    "pip": "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1",
    "npm": "application/json",
}
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


@dataclass(frozen=True)
class Findings:
    """The registries, and in words what could not be found out.

    Of `unsure` ones (tool and index, or tool and nothing) there may be more: who was asked did not answer.
    """

    registries: list[Registry]
    problems: list[str]
    unsure: set[tuple[str, str]]


def find(tools: Iterable[str]) -> Findings:
    """What these tools of this host use."""
    findings = Findings([], [], set())
    for tool in tools:
        try:
            indexes = registry_tools.READERS[tool]()
        except registry_tools.Unreadable as error:
            findings.problems.append(error.message)
            if not error.is_absent:
                findings.unsure.add((tool, ""))
            continue
        for number, index in enumerate(indexes):
            _add_index(tool, index, findings, is_default=number == 0)
    problems = list(dict.fromkeys(findings.problems))
    return Findings(sorted(_without_doubles(findings.registries)), problems, findings.unsure)


def _add_index(tool: str, found: registry_tools.Index, findings: Findings, *, is_default: bool) -> None:
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
    if found.is_unsure:
        findings.problems.append(f"{index} of {tool} does not answer, so nobody knows whose packages it has.")
        findings.unsure.add((tool, index))
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
