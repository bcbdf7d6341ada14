"""Addresses of words are told to boxes; what may be a token in one is not."""

from __future__ import annotations

import pytest

from openagent.lib.plain_address import is_plain


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/simple", "/debian-security", "/~jdoe/deb", "/linux/debian/", "/npm/npm-remote2/"),
        "/artifactory/api/pypi/pypi-virtual-3-11-release/simple",
        "/archive/debian/20250520T000000Z",
        "/api/v4/projects/123456/packages/pypi/simple",
        "/compute/cuda/repos/debian12/x86_64",
        "/node_20.x",
        "/project-id-123456/my-repo/simple",
        "/MyCompany/_packaging/TeamFeed/pypi/simple",
        "/rhel/el9/os",
    ],
)
def test_words_versions_and_numbers_are_told(path: str) -> None:
    assert is_plain(f"https://index.example{path}")


@pytest.mark.parametrize(
    "address",
    [
        "https://index.example/0f3cf3a2-8a0c-4a7e-9a0d-2f1b3c4d5e6f/simple",
        "https://index.example/12345678-1234-1234-1234-123456789012/simple",
        "https://index.example/a8Xk29dLq0ZmPw31/simple",
        "https://index.example/glpat-a8Xk29dLq0ZmPw31abcd/simple",
        "https://index.example/a8Xk-29dL_q0Zm-Pw31/simple",
        "https://index.example/ab12_cd34-ef56/simple",
        "https://index.example/g_-Kd8-_x2-Q9a/simple",
        "https://index.example/ABCDE-12345-FGHIJ-67KLM-X9Y8Z/",
        "https://index.example/priv/5d41402abc4b2a76b9719d911017c592/",
        "https://index.example/xKqZaBcDeFgHiJkLmN/simple",
        "https://index.example/qwertyuiopasdfghjklzxcvbnmq/",
        "https://index.example/1234567890123456/simple",
        "https://index.example/simple;token=abcdefgh",
        "https://index.example/%61bc/",
        "https://user@index.example/simple",
        "https://:password@index.example/simple",
        "https://index.example/simple?token=words",
        "https://index.example/simple#words",
        "https://[index.example/simple",
    ],
)
def test_what_may_be_a_token_is_not(address: str) -> None:
    assert not is_plain(address)
