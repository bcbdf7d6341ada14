"""One small package called `tiny`, as the registries of pip, npm and apt have it: pages by their paths."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

FOUND = "tiny is here"
"""What it says when it is used."""


def pip() -> dict[str, bytes]:
    """The index is at /simple."""
    info = "tiny-1.0.dist-info"
    files = {
        "tiny.py": f"print({FOUND!r})\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    name = "tiny-1.0-py3-none-any.whl"
    page = f'<!DOCTYPE html><html><body><a href="/files/{name}">{name}</a></body></html>'
    return {"/simple/tiny/": page.encode(), f"/files/{name}": wheel.getvalue()}


def npm(base: str) -> dict[str, bytes]:
    """The registry is at `base`/npm."""
    about = {"name": "tiny", "version": "1.0.0"}
    package = io.BytesIO()
    with tarfile.open(fileobj=package, mode="w:gz") as archive:
        for name, text in {
            "package/package.json": json.dumps({**about, "main": "index.js"}),
            "package/index.js": f"console.log({FOUND!r});\n",
        }.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    content = package.getvalue()
    integrity = f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"
    dist = {"tarball": f"{base}/npm/tiny/-/tiny-1.0.0.tgz", "integrity": integrity}
    known = {
        "name": "tiny",
        "dist-tags": {"latest": "1.0.0"},
        "versions": {"1.0.0": {**about, "dist": dist}},
    }
    return {"/npm/tiny": json.dumps(known).encode(), "/npm/tiny/-/tiny-1.0.0.tgz": content}


def apt(folder: Path, release: str, names: Sequence[str] = ("tiny",)) -> dict[str, bytes]:
    """The repository is at /debian, with packages of these names, and signed by nobody."""
    machine = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True)
    architecture = machine.stdout.strip()
    pages, index = {}, b""
    for name in names:
        about, package = _deb(folder / name, name)
        path = f"pool/{name}_9.0_all.deb"
        pages[f"/debian/{path}"] = package
        entry = f"{about}Filename: {path}\nSize: {len(package)}\n"
        index += f"{entry}SHA256: {hashlib.sha256(package).hexdigest()}\n\n".encode()
    where = f"main/binary-{architecture}/Packages"
    heads = f"Origin: Tests\nCodename: {release}\nArchitectures: {architecture} all\nComponents: main\n"
    listed = f"SHA256:\n {hashlib.sha256(index).hexdigest()} {len(index)} {where}\n"
    dists = f"/debian/dists/{release}"
    pages[f"{dists}/Release"] = f"{heads}Date: Thu, 01 Jan 2026 00:00:00 UTC\n{listed}".encode()
    pages[f"{dists}/{where}"] = index
    return pages


def _deb(made: Path, name: str) -> tuple[str, bytes]:
    """What a package says of itself, and the package: it has a text and a program that prints it."""
    program = made / "usr/bin" / name
    for folder in (made / "DEBIAN", made / "usr/share" / name, program.parent):
        folder.mkdir(parents=True)
    (made / "usr/share" / name / "said").write_text(FOUND)
    program.write_text(f"#!/bin/sh\necho {FOUND}\n")
    about = f"Package: {name}\nVersion: 9.0\nArchitecture: all\nMaintainer: nobody <a@example.com>\n"
    about += "Description: a tiny package\n"
    (made / "DEBIAN/control").write_text(about)
    for path in (made, *made.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path == program else 0o644)
    file = made.with_suffix(".deb")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", made, file], check=True, capture_output=True)
    return about, file.read_bytes()
