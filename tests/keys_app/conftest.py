"""What tests of keys share: keys of the right shape, and a provider that answers as a test wants."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.conf import LazySettings

from keys_app import providers, services
from keys_app.models import ProviderKey
from openagent.accounts.models import User
from openagent.lib.redact import Secret

CANARY = "sk-proj-CANARY0123456789abcdefghijklmnop"


class FakeProvider(ThreadingHTTPServer):
    """A provider's HTTP API: answers every request with `status` and `body`, and keeps what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.body = b'{"data":[]}'
        self.answer_headers: dict[str, str] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: FakeProvider

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.command, self.path, headers))
        self.send_response(self.server.status)
        for name, value in self.server.answer_headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def provider(settings: LazySettings) -> Iterator[FakeProvider]:
    """Stands in for every provider of the catalogue."""
    server = FakeProvider()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    names = [provider.id for provider in providers.every() if provider.needs_key]
    settings.OPENAGENT_PROVIDER_BASE_URLS = dict.fromkeys(names, server.url)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def key(alice: User) -> ProviderKey:
    """Alice's key for OpenAI; its plaintext is CANARY."""
    return services.create(owner_id=alice.pk, provider="openai", value=Secret(CANARY), label="work")
