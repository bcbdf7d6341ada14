"""The product's settings with few overrides, so that tests need nothing but this process."""

import os
import tempfile
from pathlib import Path

_scratch = Path(tempfile.gettempdir()) / f"openagent-tests-{os.getuid()}"
_scratch.joinpath("static").mkdir(mode=0o700, parents=True, exist_ok=True)
os.environ.setdefault("OPENAGENT_DATA_DIR", str(_scratch))
os.environ.setdefault("OPENAGENT_SECRET_KEY", "only-for-tests-" + "0123456789abcdef" * 3)
os.environ.setdefault("OPENAGENT_KEYS_KEK", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
os.environ.setdefault("OPENAGENT_LOG_FORMAT", "console")

from openagent.settings import *  # noqa: E402, F403
from openagent.settings import DATABASES  # noqa: E402

DATABASES["default"].setdefault("TEST", {})
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, because threads have to share it exactly as they do in production.
    DATABASES["default"]["TEST"]["NAME"] = str(_scratch / f"test-{os.getpid()}.sqlite3")

else:
    # A pool keeps connections open, and a database with connections cannot be dropped.
    DATABASES["default"]["OPTIONS"].pop("pool")

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CELERY_BROKER_URL = "memory://"
OPENAGENT_POOL = {}
OPENAGENT_CONCURRENT_STARTS = 1000
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
