"""There is one version, wherever it stands."""

import json
import re

from django.conf import settings

import sidecar
from openagent.management import images
from tests.architecture.sources import CHECKOUT


def test_the_version_is_the_same_wherever_it_stands() -> None:
    page = json.loads((CHECKOUT / "frontend" / "package.json").read_text())["version"]
    newest = re.search(r"^## (\S+)", (CHECKOUT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert {settings.OPENAGENT_VERSION, sidecar.__version__, page, newest[1]} == {images.VERSION}
