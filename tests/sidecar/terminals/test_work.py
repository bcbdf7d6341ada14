"""What counts as the work of a terminal, and how often it is said."""

from __future__ import annotations

import pytest

from sidecar.terminals.work import ANSWER_SECONDS, MOST_SECONDS, TELL_SECONDS, Work


@pytest.mark.parametrize(
    ("after", "works"),
    [
        (0.0, False),
        (ANSWER_SECONDS - 0.1, False),
        (ANSWER_SECONDS, True),
        (MOST_SECONDS, True),
        (MOST_SECONDS + 1, False),
    ],
)
def test_what_is_printed_by_itself_is_work_for_half_a_day(after: float, works: bool) -> None:
    assert Work().printed(now=1000 + after, touched_at=1000) is works


def test_it_is_said_now_and_then_for_all_terminals_together() -> None:
    work = Work()
    assert work.printed(now=100, touched_at=0)
    assert not work.printed(now=100 + TELL_SECONDS - 1, touched_at=0)
    assert not work.printed(now=100 + TELL_SECONDS - 1, touched_at=50)
    assert work.printed(now=100 + TELL_SECONDS, touched_at=0)


def test_an_answer_to_a_keystroke_says_nothing_of_what_comes_later() -> None:
    work = Work()
    assert not work.printed(now=101, touched_at=100)
    assert work.printed(now=106, touched_at=100)
