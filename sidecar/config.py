"""What one sidecar is told when it starts: a JSON file that only it can read."""

from __future__ import annotations

from pathlib import Path

import msgspec

MAX_BYTES = 64 * 1024


class ConfigError(Exception):
    """The configuration cannot be used. The message holds no value of it."""


class LinkAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where the platform listens: the path of a unix socket, or a ws(s) URL."""

    unix: str = ""
    url: str = ""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes, rates and times; the defaults are generous for a person and small for a machine.

    `silence_seconds` is how long a model provider may say nothing in the midst of a call. At most `terminals`
    are open at once, each of which keeps at most `terminal_bytes` of its output; one that nobody watches is
    held up for `terminal_hold_seconds`.
    """

    journal_bytes: int = 64 * 1024 * 1024
    events_per_second: float = 500.0
    bytes_per_second: float = 4.0 * 1024 * 1024
    box_seconds: float = 60.0
    agent_seconds: float = 90.0
    cancel_seconds: float = 10.0
    silence_seconds: float = 240.0
    stop_seconds: float = 8.0
    terminals: int = 64
    terminal_bytes: int = 8 * 1024 * 1024
    terminal_hold_seconds: float = 30.0


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole configuration. Unknown fields are left for later versions.

    `host_addresses` are those of the machine around the sidecar, where it has a network of its own: no box
    is led to them.
    """

    instance: str
    token: str
    link: LinkAddress
    journal: str
    box_socket: str
    agent: str = "opencode"
    driver: str = ""
    health_port: int = 0
    health_socket: str = ""
    limits: Limits = Limits()
    host_addresses: list[str] = []

    def __repr__(self) -> str:
        return f"Config(instance={self.instance!r})"


def load(path: Path) -> Config:
    """The configuration in the file at `path`. ConfigError when it is none."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES)
    except OSError as error:
        raise ConfigError(f"cannot read the configuration: {error.strerror}") from error
    try:
        config = msgspec.json.decode(raw, type=Config)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        # The error may quote a value, and one of them is a secret.
        raise ConfigError("the configuration is not a JSON object with the fields of a sidecar") from None
    if bool(config.link.unix) == bool(config.link.url):
        raise ConfigError("link needs either unix or url")
    if config.link.url and not config.link.url.startswith(("wss://", "ws://")):
        raise ConfigError("link.url is not a ws:// or wss:// address")
    return config
