"""Brings the database and the static files up to date; `up` calls it before anything else starts."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Migrates the database and collects static files, as far as that is needed."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        self._collect_static()

    def _collect_static(self) -> None:
        """Collects only after an update: hashing and compressing some hundred files takes seconds."""
        stamp = Path(settings.STATIC_ROOT) / ".collected-from"
        locked = (settings.BASE_DIR / "requirements" / "platform.txt").read_bytes()
        version = hashlib.sha256(settings.OPENAGENT_VERSION.encode() + locked).hexdigest()
        if stamp.exists() and stamp.read_text() == version:
            return
        call_command("collectstatic", interactive=False, verbosity=0, clear=True)
        stamp.write_text(version)
