"""`manage.py rewrap_keys`: after a new KEK was put in front, wraps every key with it."""

from django.core.management.base import BaseCommand, CommandError

from keys_app import services


class Command(BaseCommand):
    help = "Wraps every provider key with the first KEK. When it succeeds, older KEKs can be removed."

    def handle(self, *args: object, **options: object) -> None:
        done, unreadable = services.rewrap_all()
        self.stdout.write(f"{done} keys wrapped with the first KEK.")
        if unreadable:
            raise CommandError(
                f"{unreadable} keys cannot be read: a KEK is missing, or rows were changed. Keep every KEK."
            )
