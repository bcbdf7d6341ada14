"""What OpenCode is told: one provider behind the gate, strict permissions, nothing worth stealing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from sidecar.agents.base import AgentContext
from sidecar.agents.opencode import config
from sidecar.protocol.frames import Offer, Provider
from tests.fakes.no_box import NoBox


def context(provider: str, wire: Any) -> AgentContext:
    told = Provider(id=provider, name=provider.title(), wire=wire, base_url="https://real.example/v1")
    return AgentContext(box=NoBox(), provider=told, model="m-1", silence_seconds=12.5)


@pytest.mark.parametrize(
    ("provider", "wire", "address"),
    [
        ("openai", "openai-responses", "http://127.0.0.1:7001/openai/v1"),
        ("anthropic", "anthropic", "http://127.0.0.1:7001/anthropic/v1"),
        ("google", "google", "http://127.0.0.1:7001/google/v1beta"),
        ("demo", "openai-chat", "http://127.0.0.1:7001/demo/v1"),
    ],
)
def test_the_provider_is_behind_the_gate_and_alone(provider: str, wire: str, address: str) -> None:
    told = config.configuration(context(provider, wire), frozenset({"m-1"}))
    assert told["enabled_providers"] == [provider]
    assert told["model"] == told["small_model"] == f"{provider}/m-1"
    options = told["provider"][provider]["options"]
    assert options["baseURL"] == address
    assert options["apiKey"] == "worthless"
    assert options["chunkTimeout"] == options["headerTimeout"] == 12_500
    assert "real.example" not in json.dumps(told)


def test_one_that_waits_knows_all_that_may_be_chosen_and_chooses_none_by_itself() -> None:
    waits = context("demo", "openai-chat")
    other = context("anthropic", "anthropic").provider
    offers = (Offer(provider=waits.provider, models=["m-1", "m-2"]), Offer(provider=other, models=["c-1"]))
    told = config.configuration(replace(waits, offers=offers), frozenset({"m-1"}))
    assert told["enabled_providers"] == ["demo", "anthropic"] and not {"model", "small_model"} & told.keys()
    assert told["provider"]["demo"]["models"].keys() == {"m-1", "m-2"}
    assert told["provider"]["anthropic"]["options"]["baseURL"] == "http://127.0.0.1:7001/anthropic/v1"


def test_a_provider_that_opencode_does_not_know_is_described() -> None:
    told = config.configuration(context("demo", "openai-chat"), frozenset({"m-1"}))["provider"]["demo"]
    assert told["npm"] == "@ai-sdk/openai-compatible"
    assert told["models"]["m-1"]["tool_call"] is True


def test_what_opencode_knows_of_a_model_is_left_alone() -> None:
    told = config.configuration(context("anthropic", "anthropic"), frozenset({"m-1"}))["provider"][
        "anthropic"
    ]
    assert told["models"] == {"m-1": {}}
    assert "npm" not in told


def test_permissions_are_asked_for_whatever_a_repository_says() -> None:
    told = config.configuration(context("demo", "openai-chat"), frozenset())
    for rules in (told["permission"], *(told["agent"][name]["permission"] for name in ("build", "general"))):
        assert rules["bash"] == rules["edit"] == rules["external_directory"] == "ask"
    assert told["agent"]["plan"]["permission"]["edit"] == "deny"


def test_the_environment_keeps_state_at_home_and_downloads_off() -> None:
    variables = config.environment(context("demo", "openai-chat"), "a-password", frozenset())
    assert variables["XDG_DATA_HOME"] == "/home/agent/.local/share"
    assert variables["OPENCODE_DISABLE_MODELS_FETCH"] == "1"
    assert variables["OPENCODE_SERVER_PASSWORD"] == "a-password"
    assert json.loads(variables["OPENCODE_CONFIG_CONTENT"])["autoupdate"] is False


def test_its_catalogue_is_read_only_for_providers_that_are_in_it() -> None:
    known = config.environment(context("anthropic", "anthropic"), "a-password", frozenset())
    assert "OPENCODE_MODELS_PATH" not in known
    unknown = config.environment(context("demo", "openai-chat"), "a-password", frozenset())
    assert unknown["OPENCODE_MODELS_PATH"] == "/home/agent/.cache/no-models.json"
