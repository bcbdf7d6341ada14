"""The git repositories that a session may use over HTTPS, as the platform tells them to the gate."""

from __future__ import annotations

import msgspec

GIT_PORT = 7003
"""The loopback port of the box that leads to them: git in the box is told to use it for their hosts."""


class Repository(msgspec.Struct, kw_only=True):
    """`https://HOST/PATH`; the path is without slashes at its ends and without `.git`.

    `provider` names the key whose token is put in, as the password of `user`; without one nothing is put in
    and nothing can be pushed. `push` are the branches that may be pushed to, where a `*` stands for anything.
    `base_url` is where the key's owner says that it is used, if they chose that.
    `branch` is what a clone begins with, if not with the usual one. `trusted`: the administrator named this
    host, so its addresses may be private.
    """

    host: str
    path: str
    provider: str = ""
    user: str = "git"
    push: list[str] = []
    trusted: bool = False
    branch: str = ""
    base_url: str = ""
