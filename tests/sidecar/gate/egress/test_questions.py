"""A person is asked once for each host, answers for all who wait, and is never flooded."""

from __future__ import annotations

import asyncio

import pytest

from sidecar.gate.egress import questions
from sidecar.gate.egress.policy import read_target
from sidecar.gate.egress.proxy import Limits
from sidecar.gate.egress.questions import Questions
from sidecar.protocol import messages
from sidecar.protocol.egress import Egress
from tests.sidecar.gate.egress.way_out import ASKING, way_out


@pytest.mark.parametrize(
    ("choice", "status", "again"),
    [
        ("once", 200, 200),
        ("session", 200, 200),
        ("always", 200, 200),
        ("never", 403, 403),
        ("reject", 403, 403),
    ],
)
async def test_an_answer_decides_for_all_who_wait_and_for_those_after(
    choice: str, status: int, again: int
) -> None:
    async with way_out(ASKING) as out:
        both = [asyncio.create_task(out.status(f"example.com:{port}")) for port in (443, 80)]
        question = await out.asked()
        assert (question["type"], question["rule"]) == ("egress", "example.com")
        assert question["host"] in ("example.com:443", "example.com:80"), "whichever came first"
        assert out.names == []
        assert out.answer(question, choice)
        assert await asyncio.gather(*both) == [status, status]
        assert await out.status("example.com:443") == again
        assert len(out.of("permission.asked")) == 1
        (answered,) = out.of("permission.answered")
        assert (answered["choice"], answered["by"], answered["user"]) == (choice, "user", "Alice")
        assert not out.answer(question, choice)


async def test_a_question_that_nobody_answers_ends_as_a_refusal() -> None:
    async with way_out(ASKING, limits=Limits(answer_seconds=0.1)) as out:
        head, _, _ = await out.connect("example.com:443")
        assert head.startswith(b"HTTP/1.1 403 ") and b"did not answer in time" in head
        assert out.of("permission.answered")[0]["choice"] == "lost"


async def test_a_change_of_the_policy_answers_what_it_decides() -> None:
    async with way_out(ASKING) as out:
        waiting = asyncio.create_task(out.status("example.com:443"))
        await out.asked()
        out.gate.configure(Egress(policy="allow-list", ask=True, hosts=["example.com"]))
        assert await waiting == 200
        waiting = asyncio.create_task(out.status("other.example:443"))
        await out.asked(2)
        out.gate.configure(Egress(policy="none"))
        assert await waiting == 403
        assert [each["choice"] for each in out.of("permission.answered")] == ["lost", "lost"]


async def test_a_private_address_is_not_reached_whatever_a_person_says() -> None:
    async with way_out(ASKING, names={"inside.example": ["10.0.0.1"]}) as out:
        waiting = asyncio.create_task(out.status("inside.example:443"))
        out.answer(await out.asked(), "always")
        assert await waiting == 403 and out.went == []


async def test_a_box_that_gives_up_is_let_go_while_the_question_stays() -> None:
    async with way_out(ASKING) as out:
        _, writer = await out.open()
        writer.write(b"CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\n\r\n")
        question = await out.asked()
        writer.close()
        async with asyncio.timeout(10):
            while out.gate._open:
                await asyncio.sleep(0.01)
        assert out.answer(question, "session")
        assert await out.status("example.com:443") == 200


async def test_a_box_cannot_flood_a_person_with_questions() -> None:
    async with way_out(ASKING) as out:
        waiting = [asyncio.create_task(out.status(f"host{n}.example:443")) for n in range(questions.MAX_OPEN)]
        await out.asked(questions.MAX_OPEN)
        assert await out.status("onemore.example:443") == 403
        out.gate.finish()
        assert await asyncio.gather(*waiting) == [403] * questions.MAX_OPEN
        assert {each["reason"] for each in out.of("egress.blocked")} >= {"too_many_questions"}


async def test_nobody_is_asked_where_a_session_has_as_many_permissions_as_it_may() -> None:
    async with way_out(ASKING, has_room=lambda: False) as out:
        assert await out.status("example.com:443") == 403
        assert out.of("permission.asked") == []


async def test_there_are_so_many_questions_in_a_while() -> None:
    told: list[tuple[str, messages.Data]] = []
    asker = Questions(
        lambda kind, data: told.append((kind, data)), lambda target, choice: None, seconds=0.001
    )
    outcomes = [
        await asker.ask(read_target(f"host{n}.example:443")) for n in range(questions.MAX_IN_WINDOW + 5)
    ]
    assert outcomes == ["unanswered"] * questions.MAX_IN_WINDOW + ["too_many_questions"] * 5
    assert asker.waiting == 0
