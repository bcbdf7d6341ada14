"""Which files with settings of this host's programs lie where a box sees these: they may hold secrets."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

# Below what a program was installed to: with passwords of registries, of proxies and of hosts for git.
_NAMES = (
    *("pip.conf", ".condarc", "etc/gitconfig", "etc/wgetrc", "etc/gemrc"),
    *("etc/npmrc", "lib/node_modules/npm/npmrc", "share/nodejs/npm/npmrc", "etc/yarnrc", "share/.yarnrc"),
)
_CARGO = ("credentials", "credentials.toml", "config", "config.toml")
_PREFIXES = ("/usr", "/usr/local")


def files(environment: Mapping[str, str], *, npm: Path, shown: Iterable[Path]) -> list[Path]:
    """Those below `shown` that are there; `environment` is the platform's, `npm` the program of that name."""
    told = {name.upper(): value for name, value in environment.items() if value}
    # What npm comes with says for everybody where else it looks.
    builtin = npm.resolve().parent.parent / "npmrc"
    npmrc = _read(builtin)
    prefixes = {*_PREFIXES, sys.base_prefix, str(npm.parent.parent)}
    prefixes |= {value for value in (told.get("NPM_CONFIG_PREFIX"), npmrc.get("prefix")) if value}
    cargo = {"/usr/cargo", "/usr/local/cargo", told.get("CARGO_HOME", "/usr/cargo")}
    named = (told.get("NPM_CONFIG_GLOBALCONFIG"), npmrc.get("globalconfig"), told.get("PIP_CONFIG_FILE"))
    every = {
        builtin,
        *(Path(prefix, name) for prefix in prefixes for name in _NAMES),
        *(Path(home, name) for home in cargo for name in _CARGO),
        *(Path(value) for value in named if value),
    }
    # Over a link nothing can be put, only over what it leads to.
    found = {path.resolve() for path in every if path.is_absolute()}
    below = tuple(shown)
    return sorted(path for path in found if path.is_file() and any(map(path.is_relative_to, below)))


def _read(npmrc: Path) -> dict[str, str]:
    if not npmrc.is_file():
        return {}
    lines = (line.partition("=") for line in npmrc.read_text(errors="replace").splitlines())
    return {name.strip(): value.strip().strip("\"'") for name, _, value in lines}
