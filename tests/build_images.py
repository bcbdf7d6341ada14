"""Builds the images that tests need, where a container engine answers: `python -m tests.build_images`."""

from __future__ import annotations

import docker

from openagent.lib import engine
from openagent.management import images
from tests.docker_fixtures import BUILD_SECONDS
from tests.product import AGENTS


def main() -> None:
    """Without an engine there is nothing to do: whether one is demanded is the tests' business."""
    settings = engine.current()
    try:
        settings.reach()
    except OSError as error:
        print(f"No images are built: {error}")
        return
    client = docker.DockerClient(base_url=f"unix://{settings.socket}", timeout=BUILD_SECONDS)
    # On the host's network no interface comes and goes for each step: Chromium, which other tests use
    # meanwhile, takes that for another network and breaks its requests off. An engine that maps users
    # refuses it.
    told = client.info().get("SecurityOptions") or []
    network = None if any("name=userns" in each for each in told) else "host"
    images.build(client, AGENTS, say=print, network=network)


if __name__ == "__main__":
    main()
