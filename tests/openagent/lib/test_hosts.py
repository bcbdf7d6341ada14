"""Which hosts can be named, what is said about those that cannot, and which connections a pattern is for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openagent.lib import hosts


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("example.com", "example.com"),
        ("  Example.COM. ", "example.com"),
        ("*.example.com", "*.example.com"),
        ("example.com:8443", "example.com:8443"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("8.8.8.8:53", "8.8.8.8:53"),
        ("1password.com", "1password.com"),
    ],
)
def test_a_host_has_one_way_to_be_written(written: str, normal: str) -> None:
    assert hosts.normalise(written) == normal
    assert hosts.normalise(normal) == normal


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("", "name of a host"),
        ("https://example.com", "no https"),
        ("example.com/simple", "no path"),
        ("user@example.com", "no user"),
        ("example.com:", "1 to 65535"),
        ("example.com:0", "1 to 65535"),
        ("example.com:65536", "1 to 65535"),
        ("example.com:8x", "1 to 65535"),
        ("[::1]:443", "IPv6"),
        ("::1", "IPv6"),
        ("*", "in front of|before a name"),
        ("a.*.com", "before a name"),
        ("*.com", "whole name"),
        ("localhost", "whole name"),
        ("bücher.example", "xn--"),
        ("-a.example", "not the name"),
        ("a..example", "not the name"),
        ("a b.example", "not the name"),
        ("a.example\\", "not the name"),
        ("x" * 64 + ".example", "not the name"),
        ("x." * 200 + "example", "not as long"),
        ("127.0.0.1", "private network"),
        ("169.254.169.254", "private network"),
        ("100.64.0.1", "private network"),
        ("10.1", "whole IPv4"),
        ("0x7f000001", "whole IPv4"),
        ("2130706433", "whole IPv4"),
        ("0177.0.0.1", "whole IPv4"),
    ],
)
def test_what_is_no_host_is_refused_with_what_to_do(written: str, word: str) -> None:
    with pytest.raises(hosts.BadHost, match=word):
        hosts.normalise(written)


def test_the_wrong_one_of_many_is_named_and_doubles_count_once() -> None:
    assert hosts.normalise_all(["B.example", "a.example", "b.example."], most=2) == ["b.example", "a.example"]
    with pytest.raises(hosts.BadHost, match="“nonsense/”"):
        hosts.normalise_all(["a.example", "nonsense/"], most=2)
    with pytest.raises(hosts.BadHost, match="1 hosts at most"):
        hosts.normalise_all(["a.example", "b.example"], most=1)


@pytest.mark.parametrize(
    ("pattern", "host", "port", "expected"),
    [
        ("example.com", "example.com", 443, True),
        ("example.com", "EXAMPLE.com.", 80, True),
        ("example.com", "example.com", 8443, False),
        ("example.com", "a.example.com", 443, False),
        ("example.com:8443", "example.com", 8443, True),
        ("example.com:8443", "example.com", 443, False),
        ("*.example.com", "a.b.example.com", 443, True),
        ("*.example.com", "example.com", 443, False),
        ("*.example.com", "badexample.com", 443, False),
    ],
)
def test_a_pattern_is_for_just_what_it_says(pattern: str, host: str, port: int, expected: bool) -> None:
    assert hosts.covers(pattern, host, port) is expected


@given(st.text(max_size=40))
def test_whatever_is_written_it_is_a_host_or_it_is_refused(text: str) -> None:
    try:
        pattern = hosts.normalise(text)
    except hosts.BadHost:
        return
    assert hosts.normalise(pattern) == pattern
    assert set(pattern) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-*:")


def test_what_is_refused_for_good_is_so_on_every_port() -> None:
    assert not hosts.covers("evil.example", "evil.example", 8443)
    assert hosts.covers("evil.example", "evil.example", 8443, any_port=True)
    assert not hosts.covers("evil.example:443", "evil.example", 8443, any_port=True)
