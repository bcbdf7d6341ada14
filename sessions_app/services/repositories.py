"""The repository of a session: where it may be, whose token leads there, and what the sidecar is told."""

from __future__ import annotations

import re
from typing import Any, NotRequired, TypedDict
from urllib.parse import urlsplit

from django.db.models import Q

from keys_app import providers
from keys_app import services as keys
from openagent.lib import hosts
from sessions_app.models import EgressBounds, Session
from sessions_app.services.choices import Invalid
from sidecar.protocol.git import Repository

PUSHED = ["openagent/*"]
"""The branches that a session may push to."""
MAX_URL = 300
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")
_PATH = re.compile(r"[A-Za-z0-9_.~-]+(?:/[A-Za-z0-9_.~-]+)+")
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]{0,199}")


class Wish(TypedDict):
    """What the workspace is to be a clone of, and the branch to begin with."""

    url: str
    branch: NotRequired[str]


def fields(wish: Wish | None) -> dict[str, Any]:
    """The columns of a new session that this sets. Invalid, with what to write instead."""
    if wish is None:
        return {}
    host, path = _read(wish["url"])
    _check_host(host)
    return {
        "repository_url": f"https://{host}/{path}",
        "repository_branch": _branch(wish.get("branch", "")),
    }


def host_of(session: Session) -> str | None:
    """The id of the git host that has this session's repository, None when no token is known for it."""
    if not session.repository_url:
        return None
    host = urlsplit(session.repository_url).netloc
    return next((entry.id for entry in providers.git_hosts() if entry.git_host == host), None)


def at(provider_id: str, *, of: str = "") -> Q:
    """Sessions with a repository at this git host; none for a provider of models. `of` leads to them."""
    hosts_of_it = [entry.git_host for entry in providers.git_hosts() if entry.id == provider_id]
    if not hosts_of_it:
        return Q(pk__in=())
    return Q(**{f"{of}repository_url__startswith": f"https://{hosts_of_it[0]}/"})


def of(session: Session) -> list[Repository]:
    """What the gate is told. Without a token of the owner nothing is put in, and nothing can be pushed."""
    if not session.repository_url:
        return []
    address = urlsplit(session.repository_url)
    repository = Repository(
        host=address.netloc, path=address.path.strip("/"), branch=session.repository_branch
    )
    if (provider_id := host_of(session)) is not None:
        entry = providers.get(provider_id)
        repository.trusted = entry.has_custom_base_url
        if _has_token(session, provider_id):
            repository.provider, repository.user, repository.push = entry.id, entry.git_user, PUSHED
    return [repository]


def _has_token(session: Session, provider_id: str) -> bool:
    try:
        return keys.choose(owner_id=session.owner_id, provider=provider_id) is not None
    except keys.KeyMissing:
        return False


def _read(url: str) -> tuple[str, str]:
    """Host, with a port if it is not the usual one, and path, in the one way to write them."""
    url = url.strip()
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError:
        raise _invalid("This is not an address. It looks like https://github.com/OWNER/NAME.") from None
    if address.scheme != "https" or not _HOST.fullmatch(address.hostname or ""):
        raise _invalid("A repository is reached by HTTPS only: https://github.com/OWNER/NAME.")
    if "@" in address.netloc:
        raise _invalid("Leave out user and password: a token for git is added under Keys.")
    if address.query or address.fragment or len(url) > MAX_URL:
        raise _invalid("Write the address of the repository and nothing more.")
    path = address.path.strip("/").removesuffix(".git")
    if not _PATH.fullmatch(path) or any(part.strip(".") == "" for part in path.split("/")):
        raise _invalid("This address has no repository in it. It looks like https://github.com/OWNER/NAME.")
    return f"{address.hostname}:{port}" if port not in (None, 443) else f"{address.hostname}", path


def _check_host(host: str) -> None:
    name, _, port = host.partition(":")
    known = [entry.git_host for entry in providers.git_hosts()]
    named = EgressBounds.current().named("git_hosts")
    if host in known or any(hosts.covers(pattern, name, int(port or 443)) for pattern in named):
        return
    usable = ", ".join(dict.fromkeys([*known, *named]))
    raise _invalid(f"Repositories may be at {usable}. An administrator can add other git hosts.")


def _branch(branch: str) -> str:
    branch = branch.strip()
    is_odd = ".." in branch or "//" in branch or branch.endswith(("/", ".", ".lock"))
    if branch and (is_odd or not _BRANCH.fullmatch(branch)):
        raise _invalid("This is no name of a branch.")
    return branch


def _invalid(message: str) -> Invalid:
    return Invalid("repository", "bad_repository", message)
