"""`python -m tests.soak [--seed N] [--minutes 12] [--sessions 20]` exits with 1 when something broke."""

from __future__ import annotations

import os
import signal
import sys

import django


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    # Whoever ends us ends the products too, in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # What folds logs needs Django.
    from tests.soak import run

    return run.main()


if __name__ == "__main__":
    sys.exit(main())
