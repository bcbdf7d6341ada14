"""Looks for secrets from inside a box, everywhere a hostile program can look; standard library only.

Run in a workspace as `python3 hunter.py`: reads hunt.json, writes report.json. What it looks for is masked in
hunt.json and in its own code, or it would find itself. What it tries beside looking is in `poking.py`.
"""

from __future__ import annotations

import base64
import io
import json
import os
import socket
import stat
import subprocess
import sys
import urllib.parse
import zlib
from collections.abc import Iterator
from typing import Any

MASK = 0x5A
PAGE = os.sysconf("SC_PAGE_SIZE")
ENTRY = 8
CHUNK = 1 << 20
MOST_OF_A_FILE = 64 << 20
LEAST_OF_A_PIECE = 12
MOST_INFLATED = 1 << 20
COMPRESSED = ((b"\x1f\x8b\x08", 31), (b"x\x01", 15), (b"x\x5e", 15), (b"x\x9c", 15), (b"x\xda", 15))
"""How gzip and zlib begin, and what Python's `wbits` are for it."""
HOLDER = """\
import sys, time
kept = bytes(b ^ 0x5A for b in bytes.fromhex(sys.argv[1]))
print("kept", flush=True)
time.sleep(60)
"""
_OWN_FILES = ("hunt.json", "report.json")


def mask(text: str) -> str:
    return bytes(byte ^ MASK for byte in text.encode()).hex()


def unmask(masked: str) -> str:
    return bytes(byte ^ MASK for byte in bytes.fromhex(masked)).decode()


def needles(secret: str) -> list[bytes]:
    """The secret in every dress in which it could stand somewhere."""
    raw = secret.encode()
    found = {raw, raw[::-1], raw.hex().encode(), raw.hex().upper().encode()}
    found |= {secret.encode("utf-16-le"), secret.encode("utf-16-be")}
    found.add(urllib.parse.quote(secret, safe="").encode())
    found.add("".join(f"%{byte:02X}" for byte in raw).encode())
    for lead in range(3):
        # In the midst of something longer, base64 shows one of three faces.
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            face = encode(b"\0" * lead + raw).rstrip(b"=")
            found.add(face[(4 if lead else 0) : -4])
    return sorted(each for each in found if len(each) >= LEAST_OF_A_PIECE)


def inflated(data: bytes) -> Iterator[bytes]:
    """What is compressed in these bytes, as far as it can be read."""
    for magic, bits in COMPRESSED:
        at = data.find(magic)
        while at >= 0:
            try:
                content = zlib.decompressobj(bits).decompress(data[at : at + CHUNK], MOST_INFLATED)
            except zlib.error:
                content = b""
            if content:
                yield content
            at = data.find(magic, at + 1)


class Hunt:
    """What is looked for, by name, and where it was found."""

    def __init__(self, secrets: dict[str, str]) -> None:
        self._needles = {name: needles(secret) for name, secret in secrets.items()}
        self._longest = max(len(each) for faces in self._needles.values() for each in faces)
        self.found: dict[str, list[str]] = {name: [] for name in secrets}
        self.looked_at = 0

    def search(self, where: str, pieces: Iterator[bytes]) -> None:
        """Look through bytes that come in pieces."""
        tail = b""
        for piece in pieces:
            self.looked_at += len(piece)
            whole = tail + piece
            self._look(where, whole)
            for content in inflated(whole):
                self._look(where, content)
            tail = whole[-self._longest :]

    def _look(self, where: str, data: bytes) -> None:
        for name, faces in self._needles.items():
            if where not in self.found[name] and any(face in data for face in faces):
                self.found[name].append(where)


def read(path: str) -> Iterator[bytes]:
    """A file's content as far as we may read it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        done = 0
        while done < MOST_OF_A_FILE and (piece := os.read(descriptor, CHUNK)):
            done += len(piece)
            yield piece
    except OSError:
        return
    finally:
        os.close(descriptor)


def memory(pid: str, rights_wanted: str = "rw") -> Iterator[bytes]:
    """All memory of a process with these rights that we may look into."""
    try:
        with (
            open(f"/proc/{pid}/maps") as maps,
            open(f"/proc/{pid}/mem", "rb", 0) as content,
            open(f"/proc/{pid}/pagemap", "rb", 0) as pages,
        ):
            for line in maps:
                span, rights = line.split()[:2]
                begin, end = (int(number, 16) for number in span.split("-"))
                if rights.startswith(rights_wanted):
                    for start in used(pages, begin, end):
                        try:
                            content.seek(start)
                            yield content.read(min(CHUNK, end - start))
                        except (OSError, ValueError, OverflowError):
                            break
    except OSError:
        return


def used(pages: io.FileIO, begin: int, end: int) -> Iterator[int]:
    """Where the chunks begin that hold anything: some programs reserve a hundred times what they use."""
    for start in range(begin, end, CHUNK):
        pages.seek(start // PAGE * ENTRY)
        entries = pages.read(min(CHUNK, end - start) // PAGE * ENTRY)
        if entries.count(0) != len(entries):
            yield start


def files(beside: tuple[str, ...]) -> Iterator[str]:
    """Every file in sight that is neither the kernel's nor below one of these folders of the root."""
    for folder, folders, names in os.walk("/"):
        if folder == "/":
            folders[:] = [name for name in folders if name not in ("proc", "sys", "dev", *beside)]
        for name in names:
            path = os.path.join(folder, name)
            try:
                mode = os.lstat(path).st_mode
            except OSError:
                continue
            if stat.S_ISREG(mode) and name not in _OWN_FILES:
                yield path
    for folder, _, names in os.walk("/dev/shm"):
        yield from (os.path.join(folder, name) for name in names)


def sockets() -> list[str]:
    found = []
    for folder, folders, names in os.walk("/"):
        if folder == "/":
            folders[:] = [name for name in folders if name not in ("proc", "sys")]
        for name in names:
            path = os.path.join(folder, name)
            try:
                if stat.S_ISSOCK(os.lstat(path).st_mode):
                    found.append(path)
            except OSError:
                continue
    return sorted(found)


def reached(addresses: list[list[Any]]) -> list[list[Any]]:
    """Which of these hosts and ports, or paths of sockets, somebody answers at."""
    found = []
    for host, port in addresses:
        if port:
            family, address = (socket.AF_INET, (host, port))
        else:
            family, address = (socket.AF_UNIX, host)
        with socket.socket(family) as attempt:
            attempt.settimeout(2)
            try:
                attempt.connect(address)
            except OSError:
                continue
            found.append([host, port])
    return found


def network() -> dict[str, Any]:
    """Interfaces and routes as the kernel lists them."""
    with open("/proc/net/dev") as file:
        interfaces = [line.split(":")[0].strip() for line in file.readlines()[2:]]
    with open("/proc/net/route") as file:
        routes = file.readlines()[1:]
    with open("/proc/net/ipv6_route") as file:
        routes += [line for line in file if line.split()[-1] != "lo"]
    return {"interfaces": interfaces, "routes": routes}


def look_at_process(hunt: Hunt, pid: str, name_of_memory: str, is_thorough: bool) -> None:
    """Everything that /proc has of a process: of other users that is little, if it shows them at all."""
    for name in ("environ", "cmdline", "comm", "status", "maps", "mountinfo"):
        hunt.search(f"process {name}", read(f"/proc/{pid}/{name}"))
    hunt.search(name_of_memory, memory(pid, "r" if is_thorough else "rw"))
    try:
        descriptors = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return
    for number in descriptors:
        path = f"/proc/{pid}/fd/{number}"
        try:
            target, mode = os.readlink(path), os.stat(path).st_mode
        except OSError:
            continue
        hunt.search("open file", iter([target.encode()]))
        # Deleted files too, which have no name any more; read() follows no links, so we open it here.
        if stat.S_ISREG(mode):
            hunt.search(f"open file {target}", opened(path))


def opened(path: str) -> Iterator[bytes]:
    try:
        with open(path, "rb", 0) as file:
            for _ in range(MOST_OF_A_FILE // CHUNK):
                piece = file.read(CHUNK)
                if not piece:
                    return
                yield piece
    except OSError:
        return


def main() -> None:
    import poking  # type: ignore[import-not-found] # it lies beside us in the box

    with open("hunt.json") as file:
        wanted = json.load(file)
    hunt = Hunt({name: unmask(masked) for name, masked in wanted["secrets"].items()})
    # Shows that we would find something: a process that has it in its memory only.
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, wanted["secrets"]["decoy"]], stdout=subprocess.PIPE
    )
    with child.stdout as said:  # type: ignore[union-attr] # it is a pipe
        said.readline()
    own, is_thorough = str(os.getpid()), wanted["is_thorough"]
    hunt.search("environment", iter(["\0".join(map("=".join, os.environ.items())).encode()]))
    processes = [name for name in os.listdir("/proc") if name.isdecimal() and name != own]
    for pid in processes:
        look_at_process(hunt, pid, "memory of our child" if pid == str(child.pid) else "memory", is_thorough)
    child.kill()
    child.wait()
    # Without the system's own programs, which are read-only and many, unless there is time.
    for path in files(() if is_thorough else ("usr",)):
        hunt.search(f"file {path}", read(path))
    for name in ("unix", "tcp", "tcp6", "dev", "route"):
        hunt.search(f"network {name}", read(f"/proc/net/{name}"))
    poked = poking.poke(hunt.search, wanted["secrets"]["decoy"])
    report = {
        **poked,
        "user": os.getuid(),
        "found": hunt.found,
        "bytes": hunt.looked_at,
        "processes": len(processes),
        "sockets": sockets(),
        "reached": reached(wanted["addresses"]),
        "visible": [path for path in wanted["paths"] if os.path.lexists(path)],
        **network(),
    }
    with open("report.new", "w") as file:
        json.dump(report, file)
    os.replace("report.new", "report.json")
    print("hunt over")


if __name__ == "__main__":
    main()
