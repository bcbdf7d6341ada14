"""What the images are built from: the files that are sent to the engine, and one digest over them."""

from __future__ import annotations

import hashlib
import io
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from openagent.lib.data_dir import CHECKOUT

IMAGES = CHECKOUT / "deploy" / "images"
_SIDECAR = CHECKOUT / "sidecar"
_AGENTS = CHECKOUT / "deploy" / "agents"
# There even when nothing is in them.
_FOLDERS = {"sidecar": ("code",), "box": ("agents",), "platform": ("agents", "code")}


def packages(role: str) -> list[str]:
    """The Debian packages that an image of this role has."""
    lines = [line.split() for line in (IMAGES / "packages").read_text().splitlines()]
    return [words[0] for words in lines if words and words[0] != "#" and (role == "box" or role in words)]


@dataclass(frozen=True)
class Context:
    """The files of one image: where each lies in the build and where it comes from."""

    role: str
    certificates: Path
    agents: Path

    def digest(self, *more: str) -> str:
        """Changes when anything changes that the image is made from."""
        digest = hashlib.sha256("\0".join((self.role, *more)).encode())
        for name, path in self._files(with_agents=False):
            digest.update(f"\n{name}\n".encode() + path.read_bytes())
        for versions in self._versions() if self.role == "box" else ():
            digest.update(f"\n{versions.parent.name}\n".encode() + versions.read_bytes())
        return digest.hexdigest()[:24]

    def digest_of_packages(self) -> str:
        """Names a base image that was made from Debian packages."""
        made_by = (IMAGES / "base").read_bytes()
        return hashlib.sha256(made_by + " ".join(packages("box")).encode()).hexdigest()[:12]

    def write(self) -> IO[bytes]:
        """The context as a tar: the same files give the same bytes, whatever the umask of the checkout."""
        file = tempfile.TemporaryFile()  # noqa: SIM115  (the caller closes it)
        with tarfile.open(fileobj=file, mode="w") as tar:
            for folder in ("system/extra-ca", *_FOLDERS[self.role]):
                tar.addfile(_entry(folder, tarfile.DIRTYPE))
            for name, path in self._files(with_agents=True):
                _add(tar, name, path)
        file.seek(0)
        return file

    def _files(self, *, with_agents: bool) -> Iterator[tuple[str, Path]]:
        yield "Dockerfile", IMAGES / f"Dockerfile.{self.role}"
        yield "system/install-packages", IMAGES / "install-packages"
        if self.certificates.is_dir():
            for path in sorted(self.certificates.glob("*.crt")):
                yield f"system/extra-ca/{path.name}", path
        if self.role == "sidecar":
            yield "requirements.txt", CHECKOUT / "requirements" / "sidecar.txt"
            yield from _sources(_SIDECAR, "code/sidecar")
            return
        if self.role == "platform":
            yield from self._platform()
            return
        yield "box/__main__.py", _SIDECAR / "box" / "__main__.py"
        yield "box/sidecar/__init__.py", _SIDECAR / "__init__.py"
        yield from _sources(_SIDECAR / "box", "box/sidecar/box")
        if with_agents:
            yield from _every(self.agents, "agents")

    def _platform(self) -> Iterator[tuple[str, Path]]:
        yield "requirements.txt", CHECKOUT / "requirements" / "platform.txt"
        yield "code/requirements/platform.txt", CHECKOUT / "requirements" / "platform.txt"
        for name in ("manage.py", "pyproject.toml"):
            yield f"code/{name}", CHECKOUT / name
        for name in ("openagent", "sessions_app", "keys_app"):
            yield from _sources(CHECKOUT / name, f"code/{name}")
        yield "code/sidecar/__init__.py", _SIDECAR / "__init__.py"
        yield from _sources(_SIDECAR / "protocol", "code/sidecar/protocol")
        yield from _every(CHECKOUT / "frontend" / "dist", "code/frontend/dist")
        # The catalogue of agents reads their versions there.
        for name in ("package.json", "package-lock.json"):
            for path in sorted((*_AGENTS.glob(name), *_AGENTS.glob(f"*/{name}"))):
                yield f"code/{path.relative_to(CHECKOUT)}", path
        # Which agents the box has; the agents themselves are only there.
        for versions in self._versions():
            yield f"agents/{versions.parent.name}/.versions", versions

    def _versions(self) -> list[Path]:
        return sorted(self.agents.glob("*/.versions"))


def _sources(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for where, path in _every(folder, name):
        if "__pycache__" not in path.parts:
            yield where, path


def _every(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or path.is_file():
            yield f"{name}/{path.relative_to(folder)}", path


def _add(tar: tarfile.TarFile, name: str, path: Path) -> None:
    if path.is_symlink():
        link = _entry(name, tarfile.SYMTYPE)
        link.linkname = str(path.readlink())
        tar.addfile(link)
        return
    entry = _entry(name, tarfile.REGTYPE)
    entry.size = path.stat().st_size
    entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
    with path.open("rb") if entry.size else io.BytesIO() as content:
        tar.addfile(entry, content)


def _entry(name: str, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type = kind
    entry.mode = 0o755
    return entry
