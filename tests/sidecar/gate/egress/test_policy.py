"""What counts as a host, and which hosts the policy, its lists and a person's answers allow."""

from __future__ import annotations

import ipaddress
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.gate.egress import policy
from sidecar.gate.egress.policy import OddHost, Policy, Target, covers, read_target
from sidecar.protocol.egress import Egress

# Each of these has been loopback, or a host that nobody expected, to some client.
ODD = [
    *(
        "127.1:80",
        "0:80",
        "0x7f000001:80",
        "2130706433:80",
        "017700000001:80",
        "0177.0.0.1:80",
        "0x7f.0.0.1:80",
    ),
    *("127.0.0.01:80", "127.0.0.1.:80", "example.com.:80", "127.0.0.0x1:80", "1.2.3:80", "1.2.3.4.5:80"),
    *("256.1.1.1:80", "user@example.com:80", "user:pass@example.com:80", "[fe80::1%eth0]:80", "[::1:80"),
    *("::1]:80", "::1:80", "[::1]]:80", "[127.0.0.1]:80", "[]:80", ":80", "", "example.com", "example.com:"),
    *("example.com:0", "example.com:99999", "example.com:-1", "example.com:+80", "example.com:0x50"),
    *("example.com:080", "exa mple.com:80", "exämple.com:80", "１２７.0.0.1:80", "127。0。0。1:80"),
    *(
        "%31%32%37.0.0.1:80",
        "-a.com:80",
        "a-.com:80",
        ".com:80",
        "a..b:80",
        "a/b:80",
        "a\\b:80",
        "a_b.com:80",
    ),
    *("*.example.com:80", "a#b:80", "a?b:80", f"{'a' * 64}.com:80", f"{'a.' * 126}com:80", "a\0.com:80"),
]


@pytest.mark.parametrize("authority", ODD)
def test_what_is_not_written_as_a_host_is_none(authority: str) -> None:
    with pytest.raises(OddHost):
        read_target(authority)


@pytest.mark.parametrize(
    ("authority", "target"),
    [
        ("example.com:443", Target("example.com", 443)),
        ("EXAMPLE.com:8443", Target("example.com", 8443)),
        ("xn--bcher-kva.example:80", Target("xn--bcher-kva.example", 80)),
        ("localhost:80", Target("localhost", 80)),
        ("8.8.8.8:53", Target("8.8.8.8", 53, is_address=True)),
        ("[2001:DB8:0::1]:443", Target("2001:db8::1", 443, is_address=True)),
        ("[::ffff:127.0.0.1]:80", Target("::ffff:7f00:1", 80, is_address=True)),
    ],
)
def test_a_host_and_its_port_are_read(authority: str, target: Target) -> None:
    assert read_target(authority) == target
    assert read_target(str(target)) == target


def test_a_port_can_be_left_out_where_there_is_a_usual_one() -> None:
    assert read_target("example.com", default_port=80) == Target("example.com", 80)
    assert read_target("[::1]", default_port=80) == Target("::1", 80, is_address=True)


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_whatever_is_read_is_a_plain_name_or_an_address_in_its_usual_form(text: str) -> None:
    try:
        target = read_target(text, default_port=80)
    except OddHost:
        return
    assert 0 < target.port < 65536
    if target.is_address:
        assert str(ipaddress.ip_address(target.host)) == target.host
    else:
        assert set(target.host) <= set(string.ascii_lowercase + string.digits + "-.")
        with pytest.raises(ValueError, match="does not appear"):
            ipaddress.ip_address(target.host)


@pytest.mark.parametrize(
    ("pattern", "authority", "is_covered"),
    [
        ("example.com", "example.com:443", True),
        ("example.com", "example.com:80", True),
        ("example.com", "example.com:8443", False),
        ("example.com", "www.example.com:443", False),
        ("example.com", "notexample.com:443", False),
        ("EXAMPLE.com", "example.com:443", True),
        ("example.com:8443", "example.com:8443", True),
        ("example.com:8443", "example.com:443", False),
        ("*.example.com", "www.example.com:443", True),
        ("*.example.com", "a.b.example.com:443", True),
        ("*.example.com", "example.com:443", False),
        ("*.example.com", "notexample.com:443", False),
        ("*.example.com:22", "www.example.com:22", True),
        ("*.0.0.1", "127.0.0.1:80", False),
        ("8.8.8.8", "8.8.8.8:80", True),
        ("*", "example.com:443", False),
        ("", "example.com:443", False),
        ("*.", "example.com:443", False),
    ],
)
def test_a_pattern_covers_one_host_or_all_below_it(pattern: str, authority: str, is_covered: bool) -> None:
    assert covers(pattern, read_target(authority)) is is_covered


HOST = read_target("example.com:443")
LISTED = Egress(
    policy="allow-list", ask=True, hosts=["example.com"], trusted=["mirror.lan:8080"], never=["evil.example"]
)


@pytest.mark.parametrize(
    ("kind", "authority", "reason"),
    [
        ("none", "example.com:443", "policy_none"),
        ("none", "mirror.lan:8080", "policy_none"),
        ("allow-list", "example.com:443", ""),
        ("allow-list", "other.example:443", "not_allowed"),
        ("allow-list", "mirror.lan:8080", ""),
        ("allow-list", "mirror.lan:80", "not_allowed"),
        ("allow-list", "evil.example:443", "never"),
        ("full", "other.example:443", ""),
        ("full", "other.example:22", "port"),
        ("full", "mirror.lan:8080", ""),
        ("full", "evil.example:443", "never"),
    ],
)
def test_each_policy_has_its_hosts(kind: str, authority: str, reason: str) -> None:
    holds = Policy(Egress(policy=kind, hosts=LISTED.hosts, trusted=LISTED.trusted, never=LISTED.never))  # type: ignore[arg-type]
    verdict = holds.judge(read_target(authority), now=0)
    assert verdict.reason == reason
    assert verdict.is_trusted is (not reason and authority == "mirror.lan:8080")


def test_what_is_refused_for_good_is_stronger_than_what_is_allowed() -> None:
    holds = Policy(Egress(policy="full", hosts=["a.example"], trusted=["a.example:443"], never=["*.example"]))
    assert holds.judge(read_target("a.example:443"), now=0).reason == "never"


def test_only_names_that_the_list_lacks_are_asked_about() -> None:
    asks = Policy(LISTED)
    assert asks.judge(read_target("other.example:443"), now=0).can_be_asked
    for authority in ("example.com:443", "evil.example:443", "8.8.8.8:443", "[2a00::1]:443"):
        assert not asks.judge(read_target(authority), now=0).can_be_asked
    for other in (
        Egress(policy="allow-list"),
        Egress(policy="none", ask=True),
        Egress(policy="full", ask=True),
    ):
        assert not Policy(other).judge(read_target("other.example:22"), now=0).can_be_asked


@pytest.mark.parametrize(
    ("choice", "now", "later"),
    [
        ("once", "", "not_allowed"),
        ("session", "", ""),
        ("always", "", ""),
        ("never", "never", "never"),
        ("reject", "rejected", "not_allowed"),
    ],
)
def test_an_answer_holds_as_long_as_it_says(choice: str, now: str, later: str) -> None:
    holds = Policy(Egress(policy="allow-list", ask=True))
    holds.answered(HOST.rule, choice, now=100)
    assert holds.judge(HOST, now=100 + policy.BRIEF_SECONDS - 1).reason == now
    assert holds.judge(HOST, now=100 + policy.BRIEF_SECONDS).reason == later
    assert holds.judge(read_target("other.example:443"), now=100).reason == "not_allowed"
    # What is refused for good is so on every port.
    elsewhere = "never" if choice == "never" else "not_allowed"
    assert holds.judge(read_target("example.com:22"), now=100).reason == elsewhere


def test_what_was_said_for_longer_can_be_taken_back() -> None:
    holds = Policy(Egress(policy="allow-list"))
    for rule, choice in (("a.example", "always"), ("b.example", "never"), ("c.example", "session")):
        holds.answered(rule, choice, now=0)
    holds.configure(Egress(policy="allow-list"))
    reasons = {name: holds.judge(read_target(f"{name}.example:443"), now=0).reason for name in "abc"}
    assert set(reasons.values()) == {"not_allowed"}
