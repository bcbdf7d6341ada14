"""A git host: real repositories behind git's own `http-backend`, over TLS, with basic authentication."""

from __future__ import annotations

import base64
import ipaddress
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class GitHost:
    """Repositories at `root/OWNER/NAME.git`; `seen` are the requests, as they were authenticated.

    Without a token everybody may do everything. `pages` are there beside the repositories, for everybody.
    """

    name: str
    root: Path
    certificate: Path
    token: str
    port: int = 0
    seen: list[tuple[str, str]] = field(default_factory=list)
    pages: dict[str, bytes] = field(default_factory=dict)
    has_time: threading.Event = field(default_factory=threading.Event)
    """Set, unless it is to take its time before it packs a repository."""

    def __post_init__(self) -> None:
        self.has_time.set()

    def make(self, path: str) -> Path:
        """A repository with one commit on `main`."""
        bare, work = self.root / f"{path}.git", self.root / "work" / path
        git("init", "-q", "--bare", "-b", "main", str(bare))
        git("-C", str(bare), "config", "http.receivepack", "true")
        git("init", "-q", "-b", "main", str(work))
        (work / "readme.txt").write_text("hello\n")
        git("-C", str(work), "add", ".")
        git("-C", str(work), "commit", "-q", "-m", "first")
        git("-C", str(work), "push", "-q", str(bare), "main")
        return bare

    def branches(self, path: str) -> set[str]:
        return set(git("-C", str(self.root / f"{path}.git"), "branch", "--format=%(refname:short)").split())


def git(*words: str, environment: dict[str, str] | None = None) -> str:
    """What git prints; the machine's own configuration has no say in it."""
    ours = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    names = {
        f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        # What it does beside, at some other time, would make files come and go.
        ["git", "-c", "maintenance.auto=false", *words],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **ours, **names, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode:
        raise GitFailed(done.stderr)
    return done.stdout


class GitFailed(Exception):
    """What git said when it failed."""


@contextmanager
def git_host(
    folder: Path,
    *,
    name: str = "git.example.com",
    token: str = "git-CANARY-4d1c0b7e92af5836",
    listener: socket.socket | None = None,
) -> Iterator[GitHost]:
    """One that listens on loopback, or where it is told, while the block runs; its name may be an address."""
    folder.mkdir(parents=True, exist_ok=True)
    host = GitHost(name, folder, folder / "certificate.pem", token)
    key = _certify(host)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"host": host}))
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(host.certificate, key)
    if listener is not None:
        server.socket.close()
        server.socket = listener
    host.port = server.socket.getsockname()[1]
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        host.has_time.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _certify(host: GitHost) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host.name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_alternative(host.name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    host.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    file = host.root / "key.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return file


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class _Handler(BaseHTTPRequestHandler):
    """CGI for git, for whoever shows the token."""

    protocol_version = "HTTP/1.1"
    host: GitHost

    def do_GET(self) -> None:
        host = self.host
        account = f"Basic {base64.b64encode(f'git:{host.token}'.encode()).decode()}"
        shown = self.headers.get("authorization", "")
        host.seen.append((f"{self.command} {self.path}", shown))
        body = self._body()
        if "moved" in self.path:
            return self._say(301, b"", [("Location", "https://evil.example/x.git/info/refs")])
        if (page := host.pages.get(self.path)) is not None:
            kind = "text/html" if self.path.endswith("/") else "application/octet-stream"
            return self._say(200, page, [("Content-Type", kind)])
        if host.token and shown != account:
            return self._say(401, b"", [("WWW-Authenticate", 'Basic realm="git"')])
        if "echo" in self.path:
            return self._say(200, f"you said {shown}: {host.token}".encode(), [("Set-Cookie", host.token)])
        if self.command == "POST":
            host.has_time.wait(60)
        self._backend(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") == "chunked":
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _backend(self, body: bytes) -> None:
        address = urlsplit(self.path)
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.host.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": address.path,
            "QUERY_STRING": address.query,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": self.headers.get("git-protocol", ""),
            "REMOTE_USER": "git",
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        pairs = [line.split(": ", 1) for line in head.decode().split("\r\n") if line]
        status = next((int(value.split()[0]) for name, value in pairs if name == "Status"), 200)
        self._say(status, content, [(name, value) for name, value in pairs if name != "Status"])

    def _say(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        with suppress(OSError):  # Git may have been ended meanwhile.
            self.end_headers()
            self.wfile.write(body)
