"""The repository of a session: where it may be, whose token leads there, and what the sidecar is told."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, NotRequired, TypedDict
from urllib.parse import urlsplit

from django.db.models import Q

from keys_app import providers
from keys_app import services as keys
from openagent.lib import hosts
from sessions_app.models import EgressBounds, Session
from sessions_app.services.choices import Invalid
from sidecar.protocol.git import Repository

ANY_HOST = "git"
"""The provider of tokens whose owners say themselves which host they are for."""
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


class Token(NamedTuple):
    """Which keys lead to a repository: those for this provider and, if their owners say it, this address."""

    provider: providers.Provider
    base_url: str = ""


def token_of(session: Session) -> Token | None:
    """None when the session has no repository; whether its owner has such a token is another question."""
    if not session.repository_url:
        return None
    host = urlsplit(session.repository_url).netloc
    entry = next((entry for entry in providers.git_hosts() if entry.git_host == host), None)
    return Token(entry) if entry else Token(providers.get(ANY_HOST), f"https://{host}")


def leads_to(session: Session, provider_id: str, base_url: str) -> bool:
    """Whether a token for this is one for the session's repository."""
    token = token_of(session)
    return token is not None and (token.provider.id, token.base_url) == (provider_id, base_url)


def at(provider_id: str, *, of: str = "") -> Q:
    """Sessions with a repository at this git host; none for a provider of models. `of` leads to them."""
    entry = next((entry for entry in providers.git_hosts() if entry.id == provider_id), None)
    if entry is None:
        return Q(pk__in=())
    # Whose address only its owner knows may be any.
    host = f"{entry.git_host}/" if entry.git_host else ""
    return Q(**{f"{of}repository_url__startswith": f"https://{host}"})


def of(session: Session) -> list[Repository]:
    """What the gate is told. Without a token of the owner nothing is put in, and nothing can be pushed."""
    token = token_of(session)
    if token is None:
        return []
    address = urlsplit(session.repository_url)
    repository = Repository(
        host=address.netloc,
        path=address.path.strip("/"),
        branch=session.repository_branch,
        trusted=token.provider.has_custom_base_url or _is_named(address.netloc),
    )
    if _has(session, token):
        repository.provider, repository.base_url = token.provider.id, token.base_url
        repository.user, repository.push = token.provider.git_user, PUSHED
    return [repository]


def _has(session: Session, token: Token) -> bool:
    try:
        keys.choose(owner_id=session.owner_id, provider=token.provider.id, base_url=token.base_url)
    except keys.KeyMissing:
        return False
    return True


def _is_named(host: str) -> bool:
    """Whether the administrator named this very host, so that it may be in a private network."""
    name, _, port = host.partition(":")
    named = {pattern.removesuffix(":443") for pattern in EgressBounds.current().named("git_hosts")}
    return (f"{name}:{port}" if port else name) in named


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
    known = [entry.git_host for entry in providers.git_hosts() if entry.git_host]
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
