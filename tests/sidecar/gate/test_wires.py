"""Which calls may pass, as data: the four APIs' own, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.gate import wires
from tests.sidecar.gate.boxside import NAMES, provider

ALLOWED = [
    ("openai-chat", "POST", "/groq/v1/chat/completions", "chat/completions", True),
    ("openai-chat", "POST", "/groq/chat/completions", "chat/completions", True),
    ("openai-chat", "GET", "/groq/v1/models", "models", False),
    ("openai-chat", "GET", "/groq/v1/models/meta/llama-4:free", "models/meta/llama-4:free", False),
    ("openai-responses", "POST", "/openai/v1/responses", "responses", True),
    ("openai-responses", "POST", "/openai/v1/chat/completions", "chat/completions", True),
    ("anthropic", "POST", "/anthropic/v1/messages", "messages", True),
    ("anthropic", "POST", "/anthropic/v1/messages?beta=true", "messages?beta=true", True),
    ("anthropic", "POST", "/anthropic/v1/messages/count_tokens", "messages/count_tokens", False),
    ("anthropic", "GET", "/anthropic/v1/models?limit=20&x=1", "models?limit=20", False),
    (
        "google",
        "POST",
        "/google/v1beta/models/gemini-3-pro:generateContent",
        "models/gemini-3-pro:generateContent",
        True,
    ),
    (
        "google",
        "POST",
        "/google/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse&key=theirs",
        "models/gemini-3-pro:streamGenerateContent?alt=sse",
        True,
    ),
    ("google", "POST", "/google/v1beta/models/g:countTokens", "models/g:countTokens", False),
    ("google", "GET", "/google/v1beta/models?pageSize=50", "models?pageSize=50", False),
]

REFUSED = [
    ("openai-chat", "POST", "/groq/v1/embeddings"),
    ("openai-chat", "POST", "/groq/v1/models"),
    ("openai-chat", "POST", "/groq/v1/chat/completions/"),
    ("openai-chat", "POST", "/groq/v1/chat//completions"),
    ("openai-chat", "GET", "/groq/v1/models/../files"),
    ("openai-chat", "GET", "/groq/v1/models/.."),
    ("openai-chat", "GET", "/groq/v1/models/a/b/c/d"),
    ("openai-chat", "GET", "/groq/v1/chat/completions"),
    ("openai-responses", "GET", "/openai/v1/responses/resp_1"),
    ("openai-responses", "POST", "/openai/v1/responses/resp_1/cancel"),
    ("openai-responses", "POST", "/openai/v1/files"),
    ("openai-responses", "DELETE", "/openai/v1/models/m"),
    ("anthropic", "POST", "/anthropic/v1/messages/batches"),
    ("anthropic", "POST", "/anthropic/v1/files"),
    ("anthropic", "POST", "/anthropic/v1/complete"),
    ("anthropic", "POST", "/anthropic/v1/organizations/api_keys"),
    ("openai-chat", "POST", "/groq/v1/batches"),
    ("openai-chat", "GET", "/groq/v1/organization/costs"),
    ("openai-responses", "POST", "/openai/v1/batches"),
    ("openai-responses", "GET", "/openai/v1/organization/admin_api_keys"),
    ("openai-responses", "POST", "/openai/v1/uploads"),
    ("openai-responses", "POST", "/openai/v1/vector_stores"),
    ("google", "POST", "/google/v1beta/models/g:batchGenerateContent"),
    ("google", "POST", "/google/v1beta/projects/p/locations/l/batchPredictionJobs"),
    ("anthropic", "GET", "/anthropic/v1/organizations/me"),
    ("google", "POST", "/google/v1beta/models/g:predict"),
    ("google", "POST", "/google/v1beta/models/a/../../files:generateContent"),
    ("google", "POST", "/google/v1beta/files"),
    ("google", "POST", "/google/upload/v1beta/files"),
    ("google", "POST", "/google/v1beta/tunedModels/t:generateContent"),
    ("google", "POST", "/google/v1beta/cachedContents"),
]


@pytest.mark.parametrize(("wire", "method", "target", "path", "metered"), ALLOWED)
def test_a_call_of_the_api_passes(wire: str, method: str, target: str, path: str, metered: bool) -> None:
    admitted = wires.admit(provider(wire, "https://acme.example/v1"), method, target.encode())
    assert (admitted.path, admitted.call.metered) == (path, metered)


@pytest.mark.parametrize(("wire", "method", "target"), REFUSED)
def test_everything_else_is_refused(wire: str, method: str, target: str) -> None:
    with pytest.raises(wires.Refused) as refused:
        wires.admit(provider(wire, "https://acme.example/v1"), method, target.encode())
    assert refused.value.status in (403, 404, 405)


_targets = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            ["/", "v1", "groq", "models", "chat", "completions", "..", "%2e", "//", "?", "#", "@", ":", "a"]
        )
    ).map("".join),
)


@given(st.sampled_from(sorted(NAMES)), st.sampled_from(["GET", "POST"]), _targets)
def test_no_target_leaves_the_api(wire: str, method: str, target: str) -> None:
    served = provider(wire, "https://acme.example/v1", id="groq")
    try:
        admitted = wires.admit(served, method, target.encode("utf-8", "replace"))
    except wires.Refused:
        return
    path = admitted.path.partition("?")[0]
    assert admitted.call.method == method
    assert ".." not in path.split("/")
    assert not set(path) & set("%\\@#? ")
    assert "//" not in path


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=20), st.binary(max_size=20)), max_size=10))
def test_only_named_headers_pass(headers: list[tuple[bytes, bytes]]) -> None:
    for wire in wires.WIRES.values():
        ascii_only = tuple((name, value) for name, value in headers if name.isascii())
        passing = {name for name, _ in wires.request_headers(wire, ascii_only)}
        assert not passing & {
            b"authorization",
            b"x-api-key",
            b"x-goog-api-key",
            b"cookie",
            b"host",
            b"connection",
        }
