"""What the inhabitants of a soak ask of their agents, and what every answer has to begin with."""

from __future__ import annotations

import random
from dataclasses import dataclass

from sidecar import demo_model


@dataclass(frozen=True)
class Wish:
    """A prompt and the text that the agent says to it, when it comes to its end."""

    prompt: str
    expected: str


def counted(count: int, milliseconds: int) -> Wish:
    """An agent that counts: a gap or a repeat shows at once."""
    return Wish(f"stream {count} {milliseconds}", "".join(f"[{number}]" for number in range(count)))


def of_a_fake(chance: random.Random) -> Wish:
    """For sessions with a fake agent: short and long streams, thoughts, tools and questions."""
    stream = counted(chance.randint(5, 120), chance.randint(5, 40))
    word = f"{chance.getrandbits(40):010x}"
    return chance.choice(
        [
            stream,
            stream,
            Wish(f"think a b c\nsay {word} and {word}", f"{word} and {word} "),
            Wish(f"tool read\nsay {word}\n{stream.prompt}", f"{word} {stream.expected}"),
            Wish(f"ask May I {word}?\nsay {word}", f"answered once {word} "),
        ]
    )


def of_opencode(chance: random.Random) -> Wish:
    """For sessions with OpenCode and the demo model behind the gate."""
    prompt = chance.choice(
        [
            f"/demo long {chance.randint(50, 400)} {chance.randint(5, 20)}ms",
            f"/demo long {chance.randint(50, 400)} {chance.randint(5, 20)}ms",
            f"/demo say {chance.getrandbits(40):010x}",
            "/demo plain",
            "/demo work",
        ]
    )
    return Wish(prompt, demo_model.expected_text(prompt))
