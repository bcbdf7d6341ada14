"""A host that cannot make boxes says what is missing and what to do, before anything is made."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from sessions_app.drivers import process_requirements, process_views, seccomp
from sessions_app.drivers.base import DriverError, InstanceSpec
from sessions_app.drivers.process import ProcessDriver
from sessions_app.drivers.process_options import Options
from sessions_app.drivers.process_views import View


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(process_views, "_PATH", str(folder))
    return folder


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def refused(call: object) -> DriverError:
    assert callable(call)
    with pytest.raises(DriverError) as caught:
        call()
    assert caught.value.permanent
    return caught.value


def test_without_bubblewrap_it_refuses_and_says_what_to_install(options: Options, programs: Path) -> None:
    spec = InstanceSpec(instance_id="one", volume="disk", link="wss://x", token="t", agent="scripted")
    error = refused(lambda: ProcessDriver(options).create(spec))
    assert error.code == "bubblewrap_missing"
    assert "apt-get install bubblewrap" in error.message and "Docker" in error.message
    assert not options.instances.exists()


@pytest.mark.parametrize(("version", "code"), [("0.7.0", "bubblewrap_old"), ("0.4.1", "bubblewrap_old")])
def test_an_old_bubblewrap_is_refused(programs: Path, version: str, code: str) -> None:
    program(programs, "bwrap", f"echo bubblewrap {version}")
    error = refused(process_requirements.check_programs)
    assert error.code == code and version[:3] in error.message


@pytest.mark.parametrize("version", ["0.8.0", "0.11.0", "1.0"])
def test_a_new_bubblewrap_still_needs_its_helpers(programs: Path, version: str) -> None:
    program(programs, "bwrap", f"echo bubblewrap {version}")
    assert refused(process_requirements.check_programs).code == "util_linux_missing"
    for name in ("setpriv", "prlimit"):
        program(programs, name, "")
    process_requirements.check_programs()


def test_an_agent_that_is_not_there_says_how_to_get_it(options: Options) -> None:
    error = refused(lambda: process_requirements.check_agent(options.agents, "opencode"))
    assert error.code == "agent_missing" and "deploy/agents/stage" in error.message


def test_a_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**12 - 2**20, 2**20))
    error = refused(lambda: process_requirements.check_space(tmp_path))
    assert error.code == "disk_full" and "Free some space" in error.message


def test_without_libseccomp_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "_LIBRARY", "libnowhere.so.1")
    error = refused(seccomp.box_filter)
    assert error.code == "libseccomp_missing" and "apt-get install libseccomp2" in error.message


def view(*outside: str) -> View:
    return View(list(outside), [], [], ["python"])


def test_a_kernel_that_forbids_sandboxes_is_quoted(tmp_path: Path) -> None:
    program(tmp_path, "bwrap", "echo 'bwrap: No permissions to create new namespace' >&2; exit 1")
    bad, good = view(str(tmp_path / "bwrap")), view("/usr/bin/true")
    error = refused(lambda: process_requirements.check_views(good, bad, {}))
    assert error.code == "sandbox_forbidden"
    assert "No permissions to create new namespace" in error.message


def test_a_setting_that_forbids_them_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = tmp_path / "max_user_namespaces"
    setting.write_text("0\n")
    monkeypatch.setattr(process_requirements, "_FORBIDDING", ((str(setting), "0", "sysctl -w remedy=1"),))
    error = refused(lambda: process_requirements.check_views(view("true"), view("/usr/bin/false"), {}))
    assert error.message.endswith("As root, run: sysctl -w remedy=1")


def test_a_python_that_the_sidecar_cannot_read_says_how_to_open_it(tmp_path: Path) -> None:
    program(tmp_path, "bwrap", "echo \"ModuleNotFoundError: No module named 'msgspec'\" >&2; exit 1")
    error = refused(lambda: process_requirements.check_views(view(str(tmp_path / "bwrap")), view("true"), {}))
    assert error.code == "sidecar_cannot_start"
    assert "No module named 'msgspec'" in error.message and "chmod" in error.message
