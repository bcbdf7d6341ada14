"""How many answers that take much memory one user has made at a time."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework.exceptions import Throttled

MOST = 2
PATIENCE_SECONDS = 5.0
RETRY_SECONDS = 2

_changed = threading.Condition()
_made: Counter[uuid.UUID] = Counter()


@contextmanager
def turn(user_id: uuid.UUID) -> Iterator[None]:
    """Waits until fewer than MOST of this user's are made; after PATIENCE_SECONDS Throttled.

    Each user waits for themselves only: what one asks for keeps nobody else from an answer.
    """
    with _changed:
        if not _changed.wait_for(lambda: _made[user_id] < MOST, PATIENCE_SECONDS):
            raise Throttled(RETRY_SECONDS, "Too much is read at once; try again in a moment.")
        _made[user_id] += 1
    try:
        yield
    finally:
        with _changed:
            _made[user_id] -= 1
            if not _made[user_id]:
                del _made[user_id]
            _changed.notify_all()
