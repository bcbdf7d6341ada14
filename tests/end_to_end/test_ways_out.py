"""What gets out of a box of a running product: packages, git, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from openagent.lib import hosts, registries
from tests import needs
from tests.container_product import ContainerProduct, own_address
from tests.docker_fixtures import BUILD_SECONDS
from tests.end_to_end.ways_out import WaysOut, rebind, ways_out
from tests.fakes import neighbour
from tests.product import Product
from tests.sessions_app.drivers import egress_matrix, real_packages

pytestmark = pytest.mark.variant

REFUSED = "network policy of this session is none"
PRIVATE = "private network"
DONE = "it worked"
REBOUND = {
    "rebound.example": (egress_matrix.PUBLIC, "127.0.0.1"),
    "mapped.example": ("::ffff:127.0.0.1", f"64:ff9b::{own_address()}"),
}
"""Names that lead to this machine, one of them also somewhere else."""
PEER = "peer.example"
"""Leads to another session's sidecar."""


@pytest.fixture(scope="module", params=["container", "root of a container", "process"])
def out(request: pytest.FixtureRequest) -> Iterator[WaysOut]:
    if request.param == "process":
        needs.bubblewrap()
        with ways_out(Product) as made:
            yield made
        return
    request.getfixturevalue("real_images")
    is_root = "1" if request.param.startswith("root") else ""
    with ways_out(ContainerProduct, OPENAGENT_BOX_ROOT=is_root) as made:
        yield made


@pytest.fixture(scope="module")
def found() -> registries.Findings:
    findings = registries.find(registries.TOOLS)
    real_packages.told(findings)
    return findings


@pytest.mark.timeout(BUILD_SECONDS)
@pytest.mark.parametrize("tool", real_packages.COMMANDS)
def test_packages_are_installed_without_any_set_up(
    out: WaysOut, found: registries.Findings, tool: str
) -> None:
    session = out.session()
    said = out.run(session, f"{real_packages.COMMANDS[tool]} && echo {DONE}")
    assert said.rstrip().endswith(DONE), said
    out.allow(session, policy="none")
    # Others, which are in no cache.
    another = real_packages.COMMANDS[tool].replace("iniconfig", "toolz").replace("isexe", "pify")
    said = out.run(session, f"{another.replace('hello', 'sl')} && echo {DONE}")
    assert not said.rstrip().endswith(DONE) and ("network policy" in said or "403" in said), said


@pytest.mark.timeout(BUILD_SECONDS)
def test_git_clones_and_pushes_with_a_token_that_is_not_in_the_box(out: WaysOut) -> None:
    session = out.session(repository={"url": out.repository})
    assert "hello" in out.run(session, "cat readme.txt")
    branch = f"openagent/{session[:8]}"
    commit = f"git checkout -q -b {branch} && git commit -q --allow-empty -m second"
    said = out.run(
        session, f"git clone -q {out.repository} again && cd again && {commit} && git push -q origin {branch}"
    )
    assert branch in out.host.branches("team/app"), said
    assert "may push to openagent/* only" in out.run(session, "cd again && git push origin HEAD:main")
    token = f"'{out.host.token[:-1]}[{out.host.token[-1]}]'"
    places = "/home /workspace /tmp /etc /proc/[0-9]*/environ /proc/[0-9]*/cmdline"
    assert out.run(session, f"grep -rla {token} {places} 2>/dev/null | wc -l").split()[0] == "0"
    out.allow(session, policy="none")
    for command in (f"git clone {out.repository} third", f"cd again && git push origin {branch}"):
        assert REFUSED in out.run(session, command)


@pytest.mark.timeout(BUILD_SECONDS)
def test_only_what_is_allowed_gets_out(out: WaysOut, found: registries.Findings) -> None:
    mine, other = (out.session(egress={"policy": "none"}) for _ in range(2))
    for session in (mine, other):
        out.run(session, "true")
    out.put(other, {"serve.py": egress_matrix.SERVE})
    assert out.run(other, f"setsid -w python3 serve.py && echo {DONE}").strip() == DONE
    own = {"addresses": ["127.0.0.1"], "ports": [egress_matrix.OTHERS_PORT], "names": [], "authorities": []}
    own["sockets"] = [egress_matrix.OTHERS_NAME]
    assert out.went(other, own) >= {f"tcp 127.0.0.1 {egress_matrix.OTHERS_PORT}"}
    with ExitStack() as services:
        ports = [services.enter_context(egress_matrix.agreeing(each)) for each in ("0.0.0.0", "127.0.0.1")]
        check_matrix(out, found, (mine, other), [*ports, int(out.product.url.rpartition(":")[2])])


def check_matrix(
    out: WaysOut, found: registries.Findings, sessions: tuple[str, str], ports: list[int]
) -> None:
    mine = sessions[0]
    tries, names = tries_of(out, sessions, ports)
    index = next(each for each in found.registries if each.tool == "pip" and each.is_default)
    allowed = f"{index.host}:{index.port}"
    tries["authorities"].append(allowed)
    assert out.went(mine, tries) == set()
    out.allow(mine, policy="allow-list", ask=False, hosts=names)
    assert out.went(mine, tries) == {f"connect {allowed}"}
    # Where its sidecar is a process of this machine, a name leads where it leads for this machine.
    for name in (*REBOUND, PEER) if out.sidecar(mine) else ():
        # It was allowed and was found, and is not reached for where it leads.
        assert PRIVATE in out.run(mine, f"curl -sS http://{name}/")
    out.allow(mine, policy="full")
    went = out.went(mine, tries)
    assert f"connect {allowed}" in went
    # Whoever else answers there, it is nobody of here.
    assert {each.split()[1].rpartition(":")[0] for each in went} <= {"1.1.1.1", index.host}


def tries_of(out: WaysOut, sessions: tuple[str, str], ports: list[int]) -> tuple[dict[str, Any], list[str]]:
    """Everything that is tried, and those of its hosts that a user can allow."""
    sidecars = [found for session in sessions if (found := out.sidecar(session))]
    networks = [entry for each in sidecars for entry in each["NetworkSettings"]["Networks"].values()]
    inside = sorted({entry[name] for entry in networks for name in ("IPAddress", "Gateway")})
    own, peers = own_address(), [each["Name"].lstrip("/") for each in sidecars[1:]]
    for name, addresses in {**REBOUND, PEER: inside}.items() if sidecars else ():
        rebind(sidecars[0], name, *addresses)
    data = out.product.data
    named = [*REBOUND, PEER, *peers, "localhost", *inside, own, neighbour.ADDRESS]
    odd = ["127.0.0.1", "[::1]", "0.0.0.0", "169.254.169.254", "[fd00:ec2::254]", *egress_matrix.ODD]
    asked = [*named, *odd]
    every = [80, 443, *ports, egress_matrix.OTHERS_PORT]
    tries = {
        "addresses": [
            *("1.1.1.1", own, *inside, neighbour.ADDRESS, "169.254.169.254", "10.0.0.1"),
            *("2606:4700::1111", "fd00:ec2::254"),
        ],
        "loopback": [*ports, egress_matrix.OTHERS_PORT],
        "ports": [53, *every],
        "names": ["example.com", "rebound.example", *peers],
        "sockets": [
            *(egress_matrix.OTHERS_NAME, "/run/openagent/link/link.sock", "/var/run/docker.sock"),
            *map(str, (data.link_socket, data.redis_socket)),
        ],
        "authorities": [
            *(f"{name}:{port}" for name in (*asked, "1.1.1.1") for port in every),
            *("[::ffff:127.0.0.1]:80", "[64:ff9b::7f00:1]:80", f"[::ffff:{own}]:80", f"user@{own}:80"),
        ],
    }
    wanted = [each for name in asked for each in (name, *(f"{name}:{port}" for port in every))]
    return tries, [each for each in wanted if hosts.can_be_named(each)]
