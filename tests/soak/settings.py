"""The platform's settings with a driver whose instances are fake sidecars, so that there can be many."""

from openagent.settings import *  # noqa: F403
from openagent.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.soak.apps.SoakConfig"]
