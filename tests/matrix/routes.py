"""Every REST operation that the address table knows, and what a test needs in order to call it.

A new route needs an entry in ROUTES: a test fails until it has one.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from django.contrib.sessions.models import Session as LoginSession
from django.urls import URLResolver, get_resolver

from keys_app import services as keys
from keys_app.models import ProviderKey
from openagent.accounts import login_store, tokens
from openagent.accounts.models import AccessToken, User
from openagent.lib.redact import Secret
from sessions_app.models import (
    Budget,
    EgressRule,
    Instance,
    Permission,
    Prompt,
    PromptState,
    Session,
    Terminal,
)
from sessions_app.services import egress
from tests.conftest import client_of
from tests.sessions_app.conftest import (
    make_events,
    make_instance,
    make_permission,
    make_prompt,
    make_session,
    make_terminal,
)

API = "/api/v1/"
METHODS = ("get", "post", "put", "patch", "delete")
SAMPLE_KEY = "sk-" + "a1B2c3D4" * 6

Kind = Literal["object", "list", "anybody", "public"]


@dataclass(frozen=True, slots=True)
class Things:
    """One of everything that a user can own."""

    owner: User
    session: Session
    instance: Instance
    prompt: Prompt
    running: Prompt
    permission: Permission
    key: ProviderKey
    token: AccessToken
    browser: LoginSession
    terminal: Terminal
    budget: Budget
    rule: EgressRule

    def ids(self) -> set[str]:
        """What nobody else may ever read."""
        rows = (
            self.session,
            self.instance,
            self.prompt,
            self.running,
            self.permission,
            self.key,
            self.token,
            self.browser,
        )
        texts = {self.session.title, self.prompt.text, str(self.owner.email), self.terminal.title}
        return (
            {str(row.pk) for row in (*rows, self.terminal, self.rule, self.budget)} | texts | {self.rule.host}
        )


@dataclass(frozen=True, slots=True)
class Route:
    """Whose a route's things are, and valid bodies by method.

    object: a stranger's is not found. list: everybody sees their own. anybody: the same for every user.
    public: nobody has to sign in. `path` fills the address from the things of its owner.
    """

    kind: Kind
    bodies: dict[str, Any] = field(default_factory=dict)
    path: tuple[str, ...] = ()


_SESSION, _PROMPT = ("session",), ("session", "prompt")
_TERMINAL = ("session", "terminal")
_NEW_BUDGET = {"subject_kind": "user", "subject": "me", "measure": "tokens", "limit": 5}
_NEW_PROMPT = {"id": str(uuid.UUID(int=1)), "text": "More"}

ROUTES: dict[str, Route] = {
    "setup/": Route("public", {"post": {"email": "eve@example.com", "password": "correct horse battery"}}),
    "client-errors/": Route("public", {"post": {"message": "boom"}}),
    "me/": Route("anybody", {"patch": {"name": "Me"}}),
    "me/browsers/": Route("list"),
    "me/browsers/{}/": Route("object", path=("browser",)),
    "ws-tickets/": Route("anybody", {"post": None}),
    "agents/": Route("anybody"),
    "providers/": Route("anybody"),
    "tokens/": Route("list", {"post": {"name": "cli", "scopes": ["read"]}}),
    "tokens/{}/": Route("object", path=("token",)),
    "keys/": Route("list", {"post": {"provider": "openai", "key": SAMPLE_KEY}}),
    "keys/{}/": Route("object", {"put": {"key": SAMPLE_KEY}, "patch": {"label": "x"}}, ("key",)),
    "keys/{}/test/": Route("object", {"post": None}, ("key",)),
    "keys/{}/uses/": Route("object", path=("key",)),
    "keys/{}/sharing/": Route("object", {"put": {"everyone": False}}, ("key",)),
    "usage/": Route("list"),
    "groups/": Route("list"),
    "budgets/": Route("list", {"post": _NEW_BUDGET}),
    "budgets/{}/": Route("object", {"patch": {"limit": 1}}, ("budget",)),
    "sessions/": Route("list", {"post": {"title": "Mine"}}),
    "sessions/{}/": Route("object", {"patch": {"title": "Taken over"}}, _SESSION),
    "sessions/{}/restore/": Route("object", {"post": None}, _SESSION),
    "sessions/{}/start/": Route("object", {"post": None}, _SESSION),
    "sessions/{}/stop/": Route("object", {"post": None}, _SESSION),
    "sessions/{}/keep/": Route("object", {"post": None}, _SESSION),
    "sessions/{}/interrupt/": Route("object", {"post": {}}, _SESSION),
    "sessions/{}/usage/": Route("object", path=_SESSION),
    "sessions/{}/prompts/": Route("object", {"post": _NEW_PROMPT}, _SESSION),
    "sessions/{}/prompts/{}/": Route("object", {"patch": {"text": "Changed"}}, _PROMPT),
    "sessions/{}/events/": Route("object", path=_SESSION),
    "sessions/{}/conversation/": Route("object", path=_SESSION),
    "sessions/{}/conversation/export/": Route("object", path=_SESSION),
    "sessions/{}/files/": Route("object", path=_SESSION),
    "sessions/{}/files/content/": Route("object", path=_SESSION),
    "sessions/{}/changes/": Route("object", path=_SESSION),
    "sessions/{}/changes/diff/": Route("object", path=_SESSION),
    "sessions/{}/changes/revert/": Route("object", {"post": {"base": "start", "path": "a.txt"}}, _SESSION),
    "sessions/{}/terminals/": Route("object", {"post": {"rows": 24, "cols": 80}}, _SESSION),
    "sessions/{}/terminals/{}/": Route("object", {"patch": {"title": "Mine"}}, _TERMINAL),
    "sessions/{}/terminals/{}/transcript/": Route("object", path=_TERMINAL),
    "sessions/{}/egress/": Route("object", path=_SESSION),
    "egress/bounds/": Route("anybody"),
    "egress/rules/": Route("list", {"post": {"host": "mine.example", "verdict": "always"}}),
    "egress/rules/{}/": Route("object", path=("rule",)),
    "permissions/": Route("list"),
    "permissions/{}/answer/": Route("object", {"post": {"choice": "once"}}, ("permission",)),
}

QUERIES = dict.fromkeys(("sessions/{}/files/content/", "sessions/{}/changes/diff/"), "?path=a.txt")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one route."""

    route: str
    method: str

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.route}"

    @property
    def rule(self) -> Route:
        return ROUTES[self.route]

    def url(self, things: Things) -> str:
        address = (
            self.route.format()
            if not self.rule.path
            else self.route.format(*(getattr(things, name).pk for name in self.rule.path))
        )
        return f"{API}{address}{QUERIES.get(self.route, '')}"

    def call(self, client: Any, things: Things) -> Any:
        """Calls it with a body that is valid, so that only the caller can be what is wrong."""
        body = self.rule.bodies.get(self.method)
        return getattr(client, self.method)(self.url(things), body, format="json")


def make_things(owner: User) -> Things:
    session = make_session(owner, title=f"The secret plan of {owner.display_name}")
    instance = make_instance(session)
    make_events(session, [{"kind": "agent.status", "data": {"status": "ready"}}])
    token, _ = tokens.issue(user_id=owner.pk, name="laptop", scopes=["read"], expires_at=None)
    return Things(
        owner=owner,
        session=session,
        instance=instance,
        running=make_prompt(session, PromptState.RUNNING, instance=instance),
        prompt=make_prompt(session, text=f"A private thought of {owner.display_name}"),
        permission=make_permission(session, instance=instance),
        key=keys.create(owner_id=owner.pk, provider="openai", value=Secret(SAMPLE_KEY)),
        token=token,
        browser=LoginSession.objects.get(
            pk=login_store.row_key(str(client_of(owner).session.session_key)),
        ),
        terminal=make_terminal(session, title=f"The secret shell of {owner.display_name}"),
        budget=Budget.objects.create(session=session, measure="tokens", limit=10**9, owner=owner),
        rule=egress.decide(
            owner_id=owner.pk, host=f"secret-{owner.display_name}.example", verdict="always", session=session
        ),
    )


def all_operations() -> list[Operation]:
    """What the address table really answers below /api/v1/."""
    return sorted(set(_operations()), key=str)


def _operations() -> Iterator[Operation]:
    for address, view in _views(get_resolver(), ""):
        if address.startswith(API[1:]):
            for method in _methods(view):
                yield Operation(address.removeprefix(API[1:]), method)


def _views(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, Any]]:
    for entry in resolver.url_patterns:
        address = prefix + _template(str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from _views(entry, address)
        else:
            yield address, entry.callback


def _methods(view: Any) -> list[str]:
    """A view set says which methods an address has, any other view has what its class has."""
    offered = getattr(view, "actions", None) or dir(getattr(view, "view_class", None) or view.cls)
    return [method for method in METHODS if method in offered]


def _template(pattern: str) -> str:
    """`<uuid:id>/` and `^(?P<pk>[^/.]+)/$` both become `{}/`."""
    pattern = re.sub(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)", "{}", pattern)
    return re.sub(r"<[^<>]+>", "{}", pattern).strip("^$").replace(r"\Z", "")
