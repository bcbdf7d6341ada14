"""One small package called `tiny`, as the registries of pip, npm and apt have it: pages by their paths."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
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


def apt(folder: Path, release: str) -> dict[str, bytes]:
    """The repository is at /debian, with one component `main`, and signed by nobody."""
    made = folder / "tiny"
    (made / "DEBIAN").mkdir(parents=True)
    (made / "usr/share/tiny").mkdir(parents=True)
    (made / "usr/share/tiny/said").write_text(FOUND)
    about = "Package: tiny\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <a@example.com>\n"
    about += "Description: a tiny package\n"
    (made / "DEBIAN/control").write_text(about)
    for path in (made, *made.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    file = folder / "tiny_1.0_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", made, file], check=True, capture_output=True)
    package = file.read_bytes()
    machine = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True)
    architecture = machine.stdout.strip()
    entry = f"{about}Filename: pool/{file.name}\nSize: {len(package)}\n"
    index = f"{entry}SHA256: {hashlib.sha256(package).hexdigest()}\n\n".encode()
    where = f"main/binary-{architecture}/Packages"
    heads = f"Origin: Tests\nCodename: {release}\nArchitectures: {architecture} all\nComponents: main\n"
    listed = f"SHA256:\n {hashlib.sha256(index).hexdigest()} {len(index)} {where}\n"
    dists = f"/debian/dists/{release}"
    return {
        f"{dists}/Release": f"{heads}Date: Thu, 01 Jan 2026 00:00:00 UTC\n{listed}".encode(),
        f"{dists}/{where}": index,
        f"/debian/pool/{file.name}": package,
    }
