"""`manage.py rewrap_keys`: after a new KEK was put in front, wraps every key with it."""

from django.core.management.base import BaseCommand, CommandError

from keys_app import rotation
from keys_app.models import Rewrapping


class Command(BaseCommand):
    help = "Wraps every provider key with the first KEK. When it succeeds, older KEKs can be removed."

    def handle(self, *args: object, **options: object) -> None:
        walk = rotation.carry_on(rotation.start(), told=self._tell)
        if walk.ended_at is None:
            raise CommandError(f"{walk.last_error} The platform carries on by itself, or run this again.")
        self.stdout.write(f"{walk.wrapped} keys wrapped with the first KEK.")
        if walk.unreadable:
            raise CommandError(
                f"{walk.unreadable} keys cannot be read: a KEK is missing, or rows were changed. "
                "Keep every KEK."
            )

    def _tell(self, walk: Rewrapping) -> None:
        left = sum(share.rows for share in rotation.shares() if not share.is_first)
        self.stdout.write(f"{walk.wrapped} wrapped, {left} left")
