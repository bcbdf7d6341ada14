"""PostgreSQL is as good a home for the rows as SQLite: the same tests pass, and the product runs on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from openagent.lib.data_dir import CHECKOUT
from tests import needs, postgres
from tests.product import running


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres.server() as url:
        yield url


def _services(*names: str) -> list[str]:
    return [f"tests/sessions_app/services/test_{name}.py" for name in names]


# Where the database decides: SQL of our own, constraints, locks, cascades, rows of two at the same time.
DECIDED = _services(
    "budgets_at_once",
    "concurrency",
    "egress_at_once",
    "egress_log",
    "events",
    "folding",
    "ingest",
    "instances",
    "links",
    "permissions",
    "places",
    "pool",
    "pool_claims",
    "purge",
    "usage",
)
# Many logs, whose rows are no others than those of the rest of its file.
(FOLDING,) = _services("folding")
PROPERTY = f"{FOLDING}::test_no_log_tells_another_conversation_when_it_is_folded"

PARTS = {
    "the log and its rows": [*DECIDED, f"--deselect={PROPERTY}"],
    "the other services": ["tests/sessions_app/services", *(f"--ignore={file}" for file in DECIDED)],
    "many logs": [PROPERTY],
    "sessions": ["tests/sessions_app", "--ignore=tests/sessions_app/services"],
    "the rest": ["tests/keys_app", "tests/openagent/accounts", "tests/openagent/lib"],
    "strangers": [f"tests/matrix/test_{name}.py" for name in ("two_users", "sockets", "description")],
    # Of what is refused before it comes to the rows, both databases know nothing.
    "hostile values": ["tests/matrix/test_hostile_input.py", "-k", "breaks_it"],
}


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "part",
    [
        pytest.param(tests, id=name, marks=() if name == "the log and its rows" else pytest.mark.variant)
        for name, tests in PARTS.items()
    ],
)
def test_what_touches_rows_passes_its_tests_on_postgresql(url: str, part: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "not slow and not end_to_end", "--rows-only", *part],
        cwd=CHECKOUT,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]


@pytest.mark.end_to_end
@pytest.mark.timeout(300)
def test_the_product_runs_on_postgresql(url: str) -> None:
    needs.redis()
    with running(DATABASE_URL=url) as product:
        with urllib.request.urlopen(f"{product.url}/readyz", timeout=60) as answer:
            assert json.loads(answer.read())["checks"]["database"] == "ok"
        assert not product.data.database.exists()
        product.end()
