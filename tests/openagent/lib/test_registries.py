"""The registries of a host are those that its own tools name, and where these say that their files are."""

from __future__ import annotations

import json
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from openagent.lib import registries, registry_tools, safe_http
from openagent.lib.registries import Registry

PAGES = {
    "/json/pip/": (
        "application/vnd.pypi.simple.v1+json",
        json.dumps({"files": [{"url": "https://f.example/a.whl"}]}),
    ),
    "/html/pip/": (
        "text/html",
        '<a href="../files/a.whl">a</a> <A data-x="1" HREF=\'https://g.example:8443/a\'>b</A>',
    ),
    "/npm/npm/latest": ("application/json", json.dumps({"dist": {"tarball": "https://t.example/npm.tgz"}})),
    "/odd/pip/": ("application/json", '{"files": 1}'),
    "/debian/dists/bookworm/InRelease": ("text/plain", "Hash: SHA256\n\nOrigin: Debian\nLabel: Debian\n"),
    "/ours/dists/bookworm/InRelease": ("text/plain", "Label: Ours\n"),
}


class Index(BaseHTTPRequestHandler):
    """Answers as indexes do."""

    def do_GET(self) -> None:
        if self.path == "/moved/pip/":
            self.send_response(301)
            self.send_header("location", "/json/pip/")
            self.end_headers()
            return
        kind, text = PAGES.get(self.path, ("", ""))
        self.send_response(200 if kind else 404)
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def index() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Tools:
    """pip, npm and apt as they would be here, if they were configured so."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        patch.setattr("shutil.which", self._which)
        patch.setattr(sys, "executable", str(folder / "no-python"))

    def say(self, tool: str, *answers: tuple[str, str]) -> None:
        """What it prints when a word of its command is this."""
        script = [f"#!{_PYTHON}", "import sys"]
        script += [f"if {word!r} in sys.argv: print({text!r})" for word, text in answers]
        file = self._folder / tool
        file.write_text("\n".join(script))
        file.chmod(stat.S_IRWXU)

    def pip(self, address: str, more: str = "") -> None:
        self.say(
            "pip3",
            ("install", f"  -i, --index-url <url>  Base URL of the index (default {address}). It is"),
            ("config", f"global.cert='/x'\nglobal.extra-index-url='{more}'"),
        )

    def _which(self, name: str) -> str | None:
        file = self._folder / name
        return str(file) if file.exists() else None


_PYTHON = sys.executable


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    return Tools(tmp_path, monkeypatch)


def places(findings: registries.Findings) -> set[tuple[str, int, bool]]:
    return {(each.host, each.port, each.is_trusted) for each in findings.registries}


def port_of(index: str) -> int:
    return int(index.rpartition(":")[2])


def test_an_index_of_ones_own_is_trusted_with_what_it_names(tools: Tools, index: str) -> None:
    tools.pip(f"{index}/json", f"{index}/html\\nhttps://user:secret@more.invalid/simple")
    found = registries.find(["pip"])
    own = ("127.0.0.1", port_of(index), True)
    files = {("f.example", 443, True), ("g.example", 8443, True)}
    assert places(found) == {own, *files, ("more.invalid", 443, True)}
    assert found.unsure == {("pip", "more.invalid")}
    addresses = {each.address: each.is_default for each in found.registries if each.address}
    assert addresses == {f"{index}/json": True, f"{index}/html": False, "https://more.invalid/simple": False}
    assert "secret" not in str(found)


def test_what_a_public_index_names_must_be_public(
    tools: Tools, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safe_http, "is_public", lambda host, port: True)
    tools.pip(f"{index}/json")
    found = registries.find(["pip"])
    assert Registry("pip", "127.0.0.1", "f.example", 443, is_trusted=False) in found.registries
    assert not found.problems


def test_an_index_that_sends_on_is_followed(tools: Tools, index: str) -> None:
    tools.pip(f"{index}/moved/")
    assert ("f.example", 443, True) in places(registries.find(["pip"]))


def test_npm_has_a_registry_for_each_scope(tools: Tools, index: str) -> None:
    config = {
        "registry": f"{index}/npm/",
        "@ours:registry": "https://ours.invalid",
        "cafile": "/x",
        "port": 1,
    }
    tools.say("npm", ("config", json.dumps(config)))
    assert {host for host, *_ in places(registries.find(["npm"]))} == {
        "127.0.0.1",
        "t.example",
        "ours.invalid",
    }


def test_apt_has_sites(tools: Tools) -> None:
    tools.say(
        "apt-get",
        ("indextargets", "http://deb.example\nhttp://deb.example\nfile:/media\nhttps://b.example:81"),
    )
    assert places(registries.find(["apt"])) == {("deb.example", 80, True), ("b.example", 81, True)}


def test_apt_says_what_there_is_of_which_distribution(tools: Tools) -> None:
    lines = [
        "http://deb.example/debian\tDebian\tbookworm\tmain",
        "http://deb.example/debian\tDebian\tbookworm\tmain",
        "http://deb.example/debian\tDebian\tbookworm-updates\tmain",
        # Whose they are is not known, and a source without components.
        "http://new.example/debian\t$(ORIGIN)\tbookworm\tmain",
        "http://flat.example\tTheirs\t./\t",
    ]
    tools.say("apt-get", ("indextargets", "\n".join(lines)))
    tools.say("apt-config", ("shell", "check_valid_until='false'\ncheck_date='true'"))
    sources = {each.host: each.sources for each in registries.find(["apt"]).registries}
    assert sources == {
        "deb.example": (
            "Debian bookworm main check-valid-until=no",
            "Debian bookworm-updates main check-valid-until=no",
        ),
        "new.example": (),
        "flat.example": (),
    }


def test_apt_that_never_fetched_a_list_has_its_sources_all_the_same(
    tools: Tools, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, fetch = [], safe_http.fetch

    def count(method: str, url: str, **options: Any) -> safe_http.Answer:
        asked.append(url)
        return fetch(method, url, **options)

    monkeypatch.setattr(safe_http, "fetch", count)
    told = [f"{index}/{path}\t$(ORIGIN)\tbookworm\tmain" for path in ("debian", "ours", "nobody")]
    told += [f"{index}/{path}\t$(ORIGIN)\tbookworm\tcontrib" for path in ("debian", "ours", "nobody")]
    tools.say("apt-get", ("--no-release-info", "\n".join(told)))
    found = registries.find(["apt"]).registries
    assert len(asked) == 3, "each of them once, for it may take long to answer"
    assert {(each.address, each.sources) for each in found} == {
        (f"{index}/debian", ("Debian bookworm main", "Debian bookworm contrib")),
        (f"{index}/ours", ()),
        (f"{index}/nobody", ()),
    }


def test_a_mirror_that_is_away_may_have_more_than_is_known(tools: Tools, index: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{closed.getsockname()[1]}/debian"
        told = [f"{away}\t$(ORIGIN)\tbookworm\tmain", f"{away}\tDebian\ttrixie\tmain"]
        told.append(f"{index}/ours\t$(ORIGIN)\tbookworm\tmain")
        tools.say("apt-get", ("--no-release-info", "\n".join(told)))
        found = registries.find(["apt"])
    assert {(each.address, each.sources) for each in found.registries} == {
        (away, ("Debian trixie main",)),
        (f"{index}/ours", ()),
    }
    assert found.unsure == {("apt", "127.0.0.1")} and "does not answer" in found.problems[0]


@pytest.mark.parametrize(
    ("path", "is_told"),
    [
        ("/simple", True),
        ("/artifactory/api/pypi/pypi-virtual-3-11-release/simple", True),
        ("/archive/debian/20250520T000000Z", True),
        ("/org/0f3cf3a2-8a0c-4a7e-9a0d-2f1b3c4d5e6f/_packaging/feed/pypi/simple", False),
        ("/a8Xk29dLq0ZmPw31/org/repository/python/simple", False),
        ("/t/glpat-a8Xk29dLq0ZmPw31abcd/simple", False),
    ],
)
def test_an_address_with_a_token_in_its_path_is_not_for_boxes(tools: Tools, path: str, is_told: bool) -> None:
    tools.say("npm", ("config", json.dumps({"registry": f"https://npm.invalid{path}"})))
    found = registries.find(["npm"])
    assert places(found) == {("npm.invalid", 443, True)}
    assert [each.address for each in found.registries] == [f"https://npm.invalid{path}" if is_told else ""]
    assert is_told or "may have a token" in found.problems[0]
    assert is_told or path not in str(found)


@pytest.mark.parametrize("path", ["/odd", "/nothing"])
def test_an_index_that_says_nothing_useful_is_there_all_the_same(tools: Tools, index: str, path: str) -> None:
    tools.pip(index + path)
    found = registries.find(["pip"])
    assert places(found) == {("127.0.0.1", port_of(index), True)}
    assert found.unsure == {("pip", "127.0.0.1")}
    assert "does not say where its files are" in found.problems[0]


def test_what_cannot_be_found_out_is_said_and_hurts_nothing_else(tools: Tools, index: str) -> None:
    tools.say("pip3", ("install", "nothing of interest"))
    tools.say("apt-get", ("indextargets", "http://deb.example"))
    found = registries.find(registries.TOOLS)
    assert places(found) == {("deb.example", 80, True)}
    assert found.problems == [
        "pip does not say which index it uses.",
        "npm is not here, so nobody can say which registry it uses.",
    ]
    assert found.unsure == {("pip", "")}, "what is not here has no registries"


def test_an_index_in_files_of_this_host_is_not_for_boxes(tools: Tools) -> None:
    tools.say(
        "pip3",
        ("install", "--index-url <url> (default https://only.invalid/simple)"),
        ("config", "global.extra-index-url='file:///opt/a file:///opt/b'"),
    )
    problems = registries.find(["pip"]).problems
    assert len(problems) == 2
    assert "not at an http or https address" in problems[-1] + problems[0]


def test_the_pip_of_this_host_names_its_index() -> None:
    """The real one: what is matched above is what it prints."""
    [index, *_] = registry_tools.READERS["pip"]()
    assert index.address.startswith(("http://", "https://"))
