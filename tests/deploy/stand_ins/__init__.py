"""The public images that deploy/compose.yml names, or where no registry has them, one made from Debian."""

from __future__ import annotations

import contextlib
import hashlib
import re
import subprocess
import tempfile
from pathlib import Path

import docker
import docker.errors

from openagent.management import image_context

_FOLDER = Path(__file__).resolve().parent
_PACKAGES = ("ca-certificates", "postgresql", "redis-server", "caddy", "wget")
_EXAMPLE = image_context.IMAGES.parent / "compose.env.example"


def images(client: docker.DockerClient) -> dict[str, str]:
    """The image of POSTGRES, REDIS and PROXY."""
    public = dict(re.findall(r"^(POSTGRES|REDIS|PROXY)_IMAGE=(.+)$", _EXAMPLE.read_text(), re.MULTILINE))
    assert len(public) == 3
    if all(_is_there(client, image) for image in public.values()):
        return public
    return dict.fromkeys(public, _stand_in(client))


def _is_there(client: docker.DockerClient, image: str) -> bool:
    with contextlib.suppress(docker.errors.ImageNotFound):
        client.images.get(image)
        return True
    try:
        client.images.pull(image)
    except docker.errors.APIError:
        return False
    return True


def _stand_in(client: docker.DockerClient) -> str:
    made_from = [(image_context.IMAGES / "base").read_bytes(), ",".join(_PACKAGES).encode()]
    base = f"openagent-stand-ins-base:{_digest(*made_from)}"
    files = [(_FOLDER / name).read_bytes() for name in ("Dockerfile", "entrypoint")]
    image = f"openagent-stand-ins:{_digest(*made_from, *files)}"
    with contextlib.suppress(docker.errors.ImageNotFound):
        client.images.get(image)
        return image
    try:
        client.images.get(base)
    except docker.errors.ImageNotFound:
        _make_base(client, base)
    client.images.build(path=str(_FOLDER), buildargs={"BASE_IMAGE": base}, tag=image, rm=True)
    return image


def _make_base(client: docker.DockerClient, name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="openagent-base-") as folder:
        file = Path(folder, "base.tar")
        command = [str(image_context.IMAGES / "base"), ",".join(_PACKAGES), str(file)]
        subprocess.run(command, check=True, capture_output=True)
        client.api.import_image_from_file(str(file), *name.split(":"))


def _digest(*content: bytes) -> str:
    return hashlib.sha256(b"\0".join(content)).hexdigest()[:12]
