"""From inside of a real box: what leads out is the gate, and through it only what is allowed.

The hosts that are allowed are played by this machine, or are this machine's own registries in the variants.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from openagent.lib import registries
from sessions_app.drivers.base import Ref
from tests.fakes import packages
from tests.fakes.git_host import GitHost, git_host
from tests.fakes.probe_link import Probe
from tests.sessions_app.drivers import egress_matrix, real_packages
from tests.sessions_app.drivers.conftest import Host

SITE = "site.example"
# As a person or an agent would type them, without any set-up.
COMMANDS = {
    "pip": "pip install -q tiny && python3 -m tiny",
    "npm": "mkdir -p /tmp/n && cd /tmp/n && npm install --no-audit --no-fund tiny"
    " && node -e 'require(`tiny`)'",
    "apt-get": "apt-get -q update && apt-get -q install -y tiny && tiny",
    "git": f"rm -rf app && git clone -q https://{SITE}/team/app.git app && cd app"
    f" && git checkout -q -b openagent/x && git push -q origin openagent/x && echo {packages.FOUND}",
}

ONCE = """
export PIP_RETRIES=1 NPM_CONFIG_FETCH_RETRIES=0
apt-get() { command apt-get -o Acquire::Retries=0 "$@"; }
"""


@pytest.fixture
def box(host: Host) -> tuple[Ref, Probe]:
    return host.start()


def test_only_what_is_allowed_gets_out(host: Host, box: tuple[Ref, Probe]) -> None:
    ref, probe = host.start()
    theirs = host.options.data / "instances" / str(ref["instance_id"]) / "run" / "box.sock"
    sockets = [str(host.link.path), str(host.options.data / "instances"), str(theirs)]
    assert theirs.is_socket()
    with egress_matrix.agreeing("127.0.0.1") as far:
        egress_matrix.check(box[1], egress_matrix.Surroundings(probe, far, sockets=sockets))


def test_a_refusal_can_be_read_by_who_runs_curl_or_git(box: tuple[Ref, Probe]) -> None:
    probe = box[1]
    probe.egress(policy="none")
    code, output = probe.box("curl", "-sS", "http://listed.example/")
    assert code == 0 and "policy: none" in output
    assert "does not let this box reach listed.example:80" in output
    for command in (["curl", "-sS"], ["git", "ls-remote"]):
        code, output = probe.box(*command, "https://listed.example/a.git")
        assert code != 0 and "403" in output
    told = [data for kind, data in probe.egress(policy="none") if kind == "egress.blocked"]
    # Added up only as far as they were refused within the same few seconds.
    assert sum(each.pop("count") for each in told if each["port"] == 443) == 2
    assert {"host": "listed.example", "port": 443, "reason": "policy_none"} in told


@pytest.fixture
def site(host: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHost]:
    """A host with packages and a repository, whose certificate only this machine's authority vouches for."""
    folder = host.options.data / "site"
    with git_host(folder, name=SITE, token="") as made:
        folder.chmod(0o755)
        made.certificate.chmod(0o644)
        monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
        made.make("team/app")
        made.pages |= {**packages.pip(), **packages.npm(f"https://{SITE}")}
        yield made


def test_pip_npm_apt_and_git_work_as_allowed_and_say_why_not(host: Host, site: GitHost) -> None:
    told = {"PIP_INDEX_URL": f"https://{SITE}/simple", "NPM_CONFIG_REGISTRY": f"https://{SITE}/npm/"}
    commands = dict(COMMANDS)
    system = platform.freedesktop_os_release()
    if "VERSION_CODENAME" in system and shutil.which("apt-get"):
        release = system["VERSION_CODENAME"]
        site.pages |= packages.apt(site.root, release)
        told["OPENAGENT_APT_SOURCES"] = f"{system['ID']} https://{SITE}/debian {release} main trusted=yes"
    else:
        del commands["apt-get"]
    _, probe = host.start(registries=told)
    far: dict[str, Any] = {"names": {SITE: [egress_matrix.PUBLIC]}, "far": site.port}
    for policy in ("none", "allow-list"):
        probe.egress(policy=policy, hosts=[SITE], **far)
        for name, command in commands.items():
            # Who is refused tries again and again, and says why each time but the last.
            once = ONCE if policy == "none" else ""
            code, output = probe.box("bash", "-c", f"exec 2>&1\n{once}\n{command}")
            if policy == "none":
                assert code != 0 and ("network policy" in output or "403" in output), (name, output)
            else:
                assert code == 0 and output.rstrip().endswith(packages.FOUND), (name, output)
    assert site.branches("team/app") == {"main", "openagent/x"}


@pytest.mark.variant
def test_packages_come_from_this_machines_registries(host: Host) -> None:
    found = registries.find(registries.TOOLS)
    _, probe = host.start(registries=real_packages.told(found))
    real_packages.check(probe, found, real_packages.COMMANDS)
