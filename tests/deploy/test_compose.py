"""deploy/compose.yml keeps its promises, as far as reading it shows; test_compose_in_use.py runs it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from openagent.lib.data_dir import CHECKOUT
from tests.architecture import test_settings

DEPLOY = CHECKOUT / "deploy"
TEXT = (DEPLOY / "compose.yml").read_text()
EXAMPLE = (DEPLOY / "compose.env.example").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
# Django's settings, and what Celery, PostgreSQL and Caddy read.
OF_OTHERS = re.compile(r"CELERY_SKIP_CHECKS|POSTGRES_(USER|DB|PASSWORD_FILE)|SITE|TLS|XDG_(DATA|CONFIG)_HOME")


def test_the_whole_platform_is_there() -> None:
    assert set(SERVICES) == {
        *("migrate", "web", "worker", "provisioner", "beat"),
        *("database", "redis", "proxy"),
    }


def test_the_engines_socket_is_in_the_provisioner_alone() -> None:
    with_engine = {name for name, each in SERVICES.items() if re.search(r"docker\.sock|ENGINE_", str(each))}
    assert with_engine == {"provisioner"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_locked_down_bounded_and_looked_after(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"] and "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] and service["mem_limit"] and service["pids_limit"]
    assert service["logging"]["driver"] == "json-file" and service["logging"]["options"]["max-size"]
    if service["restart"] == "no":
        assert name == "migrate"  # it ends, and what waits for it looks at how
    else:
        assert service["restart"] == "unless-stopped" and service["healthcheck"]["test"]


def test_only_the_proxy_is_reached_from_elsewhere() -> None:
    assert {name for name, each in SERVICES.items() if "ports" in each} == {"proxy"}
    assert {name for name, each in SERVICES.items() if each["networks"] != ["inside"]} == {"proxy", "web"}


def test_every_setting_is_documented_and_no_secret_is_in_it() -> None:
    secrets = {"DATABASE_URL", "OPENAGENT_SECRET_KEY", "OPENAGENT_KEYS_KEK", "OPENAGENT_SETUP_CODE"}
    known = test_settings.documented_settings() - secrets | {f"{name}_FILE" for name in secrets}
    for name, service in SERVICES.items():
        unknown = {key for key in service.get("environment", {}) if not OF_OTHERS.fullmatch(key)} - known
        assert not unknown, name
    in_example = set(re.findall(r"^(OPENAGENT_[A-Z_]+|DATABASE_URL|REDIS_URL)=", EXAMPLE, re.MULTILINE))
    assert in_example <= known


def test_the_example_explains_every_variable() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", TEXT))
    explained = set(re.findall(r"^([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    assert used <= explained
    # Compose itself reads the first, and the platform the others from the same file.
    assert explained - used == {
        *("COMPOSE_PROJECT_NAME", "OPENAGENT_PUBLIC_URL"),
        *("OPENAGENT_SIDECAR_IMAGE", "OPENAGENT_BOX_IMAGE", "OPENAGENT_HOST_ADDRESSES"),
    }
    for name, default in re.findall(r"\$\{([A-Z_]+_IMAGE):-([^}]+)\}", TEXT):
        assert f"\n{name}={default}\n" in EXAMPLE
