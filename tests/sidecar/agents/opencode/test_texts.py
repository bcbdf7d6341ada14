"""Texts and thoughts out of deltas and whole parts."""

from __future__ import annotations

from typing import Any

from tests.sidecar.agents.opencode.told import SESSION, Told


def done(text: str) -> dict[str, Any]:
    return {"text": text, "time": {"start": 1, "end": 2}}


def test_a_whole_text_after_its_deltas_adds_nothing() -> None:
    told = Told()
    told.prompted()
    told.part("p", "text", text="")
    told.delta("p", "Hel")
    told.delta("p", "lo")
    turn = told.part("p", "text", **done("Hello"))
    assert turn.text == "Hello"
    assert turn.done == {"p": 5}
    told.part("p", "text", **done("Hello"))
    told.delta("p", " again")
    assert turn.text == "Hello"


def test_what_deltas_left_out_is_added() -> None:
    told = Told()
    told.prompted()
    told.delta("p", "lost, for nobody knows the part yet")
    told.part("p", "text", text="")
    told.delta("p", "Hel")
    assert told.part("p", "text", **done("Hello, world")).text == "Hello, world"


def test_a_text_that_the_model_is_asked_for_again_was_broken_off() -> None:
    told = Told()
    told.prompted()
    told.part("p", "text", text="")
    told.delta("p", "This is cut in the")
    told.say(
        "session.status",
        sessionID=SESSION,
        status={"type": "retry", "attempt": 1, "message": "terminated", "next": 0},
    )
    told.part("q", "text", text="")
    told.delta("q", "This arrives.")
    turn = told.part("q", "text", **done("This arrives."))
    assert [(each.part_id, each.broken) for each in turn.of("message.done")] == [("p", True), ("q", False)]


def test_a_text_without_deltas_is_whole() -> None:
    told = Told()
    told.prompted()
    turn = told.part("p", "reasoning", **done("A thought."))
    assert turn.thoughts == "A thought."
    assert turn.text == ""


def test_a_character_in_two_halves_is_one() -> None:
    told = Told()
    told.prompted()
    told.part("p", "text", text="")
    told.delta("p", "a\ud83d")
    told.delta("p", "\ude00b\ud83d")
    turn = told.part("p", "text", **done("a\ud83d\ude00b\ud83d"))
    assert turn.text == "a😀b\ufffd"


def test_a_corrected_text_replaces_from_where_it_differs() -> None:
    told = Told()
    told.prompted()
    told.part("p", "text", text="")
    told.delta("p", "Hello wrold")
    told.conversation.handle(
        {
            "type": "message.part.updated",
            "properties": {
                "part": {
                    "id": "p",
                    "type": "text",
                    "messageID": "msg_2",
                    "sessionID": SESSION,
                    **done("Hello world"),
                }
            },
        }
    )
    corrected, ended = told.queue.take()
    assert (corrected.data.offset, corrected.data.text) == (7, "orld")  # type: ignore[attr-defined]
    assert ended.kind == "message.done"


def test_the_prompt_itself_is_not_an_answer() -> None:
    told = Told()
    told.prompted()
    turn = told.part("q", "text", message="msg_1", text="what I asked")
    turn = told.part("s", "text", synthetic=True, **done("for the model only"))
    assert turn.parts == {}


def test_a_summary_is_a_thought() -> None:
    told = Told()
    told.prompted()
    told.replying("msg_3", "msg_1", summary=True)
    turn = told.part("p", "text", message="msg_3", **done("We talked about cats."))
    assert turn.text == ""
    assert turn.thoughts == "We talked about cats."


def test_a_huge_text_is_cut() -> None:
    told = Told()
    told.prompted()
    turn = told.part("p", "text", **done("x" * 3_000_000))
    assert len(turn.text) == 1024 * 1024
