"""The arguments for bubblewrap on hosts that are laid out in other ways than this one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from openagent.lib.data_dir import DataDir
from sessions_app.drivers import box_network, host_settings, process_views
from sessions_app.drivers.host_uids import HostUids
from sessions_app.drivers.limits import Limits
from sessions_app.drivers.process_views import Places

UIDS = HostUids(70_000, 70_001)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(
        runtime=Path("/data/runtime/1"),
        agents=Path("/data/agents"),
        volume=Path("/data/volumes/v"),
        journal=Path("/data/journals/v"),
        instance=Path("/data/instances/i"),
        link=DataDir(Path("/data")).link_socket,
        secret=(Path("/data"), Path("/checkout")),
    )


def binds(arguments: list[str]) -> dict[str, tuple[str, str]]:
    """What is mounted: target to source and kind."""
    return {
        arguments[n + 2]: (arguments[n + 1], word)
        for n, word in enumerate(arguments)
        if word in {"--bind", "--ro-bind"}
    }


def test_the_box_may_write_to_its_disk_and_to_nothing_else_of_the_host(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_settings, "files", lambda environment, **where: [])
    mounted = binds(process_views.box(places, UIDS, Limits(), {}).arguments)
    writable = {target for target, (_, kind) in mounted.items() if kind == "--bind"}
    assert writable == {"/home/agent", "/workspace"}
    sources = {source for source, _ in mounted.values() if source.startswith("/data")}
    assert sources == {
        "/data/agents",
        "/data/runtime/1/box",
        "/data/volumes/v/home",
        "/data/volumes/v/workspace",
        "/data/instances/i/run",
        *(
            f"/data/runtime/1/etc/{name}"
            for name in ("passwd", "group", "hosts", "hostname", "gitconfig", "nsswitch.conf")
        ),
    }


def test_every_namespace_of_the_box_is_its_own(places: Places) -> None:
    arguments = process_views.box(places, UIDS, Limits(), {}).arguments
    for word in ("user", "pid", "net", "ipc", "uts", "cgroup-try"):
        assert f"--unshare-{word}" in arguments
    assert {"--disable-userns", "--new-session", "--die-with-parent"} <= set(arguments)
    assert arguments[arguments.index("--cap-drop") + 1] == "ALL"


def test_as_root_both_change_their_user(places: Places) -> None:
    box, sidecar = process_views.box(places, UIDS, Limits(), {}), process_views.sidecar(places, UIDS, {})
    # The box before its view is made, because its user namespace has to be its own user's.
    assert "--reuid=70000" in box.outside and "--regid=70000" in box.outside
    # The sidecar after that, because only root can show it folders that others cannot enter.
    assert len(sidecar.outside) == 1 and "--reuid=70001" in sidecar.user
    assert "--unshare-user" not in sidecar.arguments


def test_as_an_ordinary_user_both_are_in_user_namespaces(places: Places) -> None:
    box, sidecar = process_views.box(places, None, Limits(), {}), process_views.sidecar(places, None, {})
    assert len(box.outside) == len(sidecar.outside) == 1 and sidecar.user == []
    for view in (box, sidecar):
        assert "--unshare-user" in view.arguments
        assert view.arguments[view.arguments.index("--cap-drop") + 1] == "ALL"


def test_a_platform_inside_of_the_systems_folders_is_hidden_from_the_box(
    places: Places, tmp_path: Path
) -> None:
    inside = next(path for path in Path("/usr").iterdir() if path.is_dir())
    hidden = Places(**{**vars(places), "secret": (inside, tmp_path)})
    arguments = process_views.box(hidden, UIDS, Limits(), {}).arguments
    covers = [arguments[n + 1] for n, word in enumerate(arguments) if word == "--tmpfs"]
    assert str(inside) in covers and str(tmp_path) not in covers
    assert "--remount-ro" in arguments[arguments.index(str(inside)) :]


def test_a_host_without_a_system_python_lends_its_own(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    exists = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: path != "/usr/bin/python3" and exists(path))
    monkeypatch.setattr(sys, "base_prefix", "/opt/python")
    box = process_views.box(places, UIDS, Limits(), {})
    assert box.program[-3:] == ["/opt/python/bin/python3", "-I", "/opt/openagent/box"]
    assert binds(box.arguments)["/opt/python"] == ("/opt/python", "--ro-bind")
    assert process_views.box_environment({}, {})["PATH"].startswith("/opt/python/bin:/usr/")


def test_settings_of_the_hosts_tools_that_lie_beside_them_are_empty_in_the_box(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    monkeypatch.setattr(process_views, "box_python", lambda: str(tmp_path / "bin" / "python3"))
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "npmrc").write_text("//npm.example/:_authToken=CANARY")
    (tmp_path / "pip.conf").symlink_to(tmp_path / "other.conf")
    (tmp_path / "other.conf").write_text("[global]\nindex-url = https://user:CANARY@pip.example/simple")
    arguments = process_views.box(places, UIDS, Limits(), {}).arguments
    mounted = binds(arguments)
    for name in ("etc/npmrc", "other.conf"):
        assert mounted[str(tmp_path / name)] == ("/data/runtime/1/nothing", "--ro-bind")
        assert arguments.index(str(tmp_path)) < arguments.index(str(tmp_path / name)), "over what shows it"
    assert str(tmp_path / "pip.conf") not in mounted and str(tmp_path / "etc/yarnrc") not in mounted


def test_certificates_and_proxies_of_the_host_reach_the_sidecar(places: Places, tmp_path: Path) -> None:
    bundle = tmp_path / "company.pem"
    bundle.touch()
    environment = {
        "SSL_CERT_FILE": str(bundle),
        "SSL_CERT_DIR": "/etc/ssl/certs",
        "HTTPS_PROXY": "http://proxy:3128",
        "no_proxy": "localhost",
        "OPENAGENT_SECRET_KEY": "CANARY",
        "DATABASE_URL": "CANARY",
        "AWS_SECRET_ACCESS_KEY": "CANARY",
        "HOME": "/root",
        "PYTHONPATH": "/elsewhere",
    }
    told = process_views.sidecar_environment(environment)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "no_proxy"):
        assert told[name] == environment[name]
    assert "CANARY" not in told.values() and told["HOME"] == "/tmp"
    assert told["PYTHONPATH"] == "/opt/openagent/sidecar"
    mounted = binds(process_views.sidecar(places, UIDS, environment).arguments)
    assert mounted[str(bundle)] == (str(bundle), "--ro-bind")


def test_a_box_is_told_nothing_of_the_platforms_environment(tmp_path: Path) -> None:
    bundle = tmp_path / "company.pem"
    bundle.touch()
    environment = {
        "OPENAGENT_SECRET_KEY": "CANARY",
        "SSL_CERT_FILE": str(bundle),
        "HTTPS_PROXY": "http://user:CANARY@proxy:3128",
        "PIP_INDEX_URL": "https://user:CANARY@pip.example/",
    }
    told = process_views.box_environment(environment, {"PIP_INDEX_URL": "https://pip.example/"})
    assert "CANARY" not in str(told)
    assert set(told) - set(box_network.environment(bundle=str(bundle), registries={})) == {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "PIP_INDEX_URL"),
    }
    assert told["PIP_INDEX_URL"] == "https://pip.example/"
    assert told["HTTPS_PROXY"] == told["http_proxy"] == "http://127.0.0.1:7002"
    assert "127.0.0.1" in told["NO_PROXY"].split(",")


def test_certificates_of_the_host_reach_the_box(places: Places, tmp_path: Path) -> None:
    bundle = tmp_path / "company.pem"
    bundle.touch()
    environment = {"SSL_CERT_FILE": str(bundle)}
    mounted = binds(process_views.box(places, UIDS, Limits(), environment).arguments)
    assert mounted[str(bundle)] == (str(bundle), "--ro-bind")
    told = process_views.box_environment(environment, {})
    assert {told[name] for name in ("PIP_CERT", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS")} == {str(bundle)}


def test_without_any_certificates_none_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "isfile", lambda path: False)
    assert "SSL_CERT_FILE" not in process_views.box_environment({"SSL_CERT_FILE": "/gone"}, {})


def test_of_what_runs_beside_it_the_sidecar_sees_the_link_alone(places: Places) -> None:
    data = DataDir(Path("/data"))
    mounted = binds(process_views.sidecar(places, None, {}).arguments)
    seen = [Path(source) for source, _ in mounted.values()]
    assert [path for path in seen if path.is_relative_to(data.run)] == [data.link_socket.parent]
    for other in (data.redis_socket, data.supervisor_lock, data.stopping):
        assert not any(other.is_relative_to(path) for path in seen)


def test_a_link_over_tcp_needs_no_folder(places: Places) -> None:
    mounted = binds(process_views.sidecar(Places(**{**vars(places), "link": None}), UIDS, {}).arguments)
    assert str(process_views.LINK_RUN) not in mounted
