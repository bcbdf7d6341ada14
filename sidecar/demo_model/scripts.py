"""The scripts as data: what one is made of, where they are, how a prompt names one with arguments."""

from __future__ import annotations

import functools
import re
import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec

FOLDER = Path(__file__).parent / "scripts"
DEFAULT = "default"
AGAIN = "again"

Kind = Literal["auth", "forbidden", "quota", "rate_limit", "server", "unavailable", "context", "model"]
Event = Literal["pause", "cut", "garbage", "error"]


class Usage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one reply costs, in our own terms: `input` contains `cached`, `output` contains `reasoning`."""

    input: int = 120
    output: int = 20
    cached: int = 10
    reasoning: int = 0


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool call in neutral words; `tools.py` knows how each agent's own tool is called."""

    do: Literal["write", "edit", "bash", "read", "todo", "ask", "task"]
    path: str = ""
    content: str = ""
    old: str = ""
    new: str = ""
    command: str = ""
    description: str = ""
    prompt: str = ""
    todos: tuple[tuple[str, str], ...] = ()
    question: str = ""
    header: str = ""
    options: tuple[str, ...] = ()
    multiple: bool = False


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An HTTP error in place of a reply: for ever, or with `counted` as often as the prompt's number says."""

    status: int
    kind: Kind
    counted: bool = False


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One reply of the model: it thinks, says `text`, and calls tools; a step without tools ends the turn.

    Nothing comes before the call's seconds are over if it is `late`. `then` happens when `text` has been
    said; `after` is the rest of the text. With `needs`, `text` is said only if some tool result of the turn
    contains those words; else `otherwise` is.
    """

    think: str = ""
    text: str = ""
    words: bool = False
    late: bool = False
    then: Event | None = None
    after: str = ""
    needs: str = ""
    otherwise: str = ""
    fail: Failure | None = None
    page: str = ""
    action: tuple[Action, ...] = ()
    usage: Usage = Usage()


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named play; `count` and `seconds` are the arguments' defaults, `paced`: it is seconds per word.

    One that is `stubborn` fails also when the agent asks for a summary of the conversation to get out of it.
    """

    about: str
    step: tuple[Step, ...]
    count: int = 0
    seconds: float = 0.0
    paced: bool = False
    stubborn: bool = False


class Call(msgspec.Struct, frozen=True):
    """A script with the arguments that the prompt gave."""

    name: str
    script: Script
    count: int
    seconds: float
    rest: str

    @property
    def pace(self) -> float | None:
        """Seconds between two pieces of text, None for the server's own."""
        return self.seconds if self.script.paced else None

    def fill(self, template: str, *, result: str = "") -> str:
        """`template` with {count}, {seconds}, {rest}, {scripts} and {result} put in; other braces stay."""
        values = {
            "count": f"{self.count}",
            "seconds": f"{self.seconds:g}",
            "rest": self.rest,
            "result": result,
        }
        if "{scripts}" in template:
            lines = (f"* `{name}`: {script.about}" for name, script in catalogue().items())
            values["scripts"] = "\n".join(lines)
        return _PLACE.sub(lambda match: values.get(match[1], match[0]), template)


_NAMED = re.compile(r"(?:^|(?<=[\s\"'`]))/demo[ \t]+([a-z0-9_]+)([^\n]*)|SCRIPT:([a-z0-9_]+)([^\n]*)")
_PLACE = re.compile(r"\{([a-z]+)\}")
_NUMBER = re.compile(r"\d{1,7}")
_DURATION = re.compile(r"(\d{1,7}(?:\.\d{1,3})?)(ms|s)")
_MAX_COUNT = 200_000


@functools.cache
def catalogue() -> dict[str, Script]:
    """Every script by name."""
    scripts = {}
    for path in sorted(FOLDER.glob("*.toml")):
        data: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        scripts[path.stem] = msgspec.convert(data, Script)
    return scripts


def named(prompt: str) -> Call | None:
    """The script that the prompt names (last), None when it names none; an unknown name plays `unknown`."""
    matches = list(_NAMED.finditer(prompt))
    if not matches:
        return None
    match = matches[-1]
    name, rest = (match[1], match[2]) if match[1] else (match[3], match[4])
    if name not in catalogue():
        return call("unknown", rest=name)
    before = prompt[: match.start()][-1:]
    # Some clients put the whole prompt in quotes.
    return call(name, rest=rest.strip().removesuffix(before if before in "\"'`" else "").strip())


def call(name: str, *, rest: str = "") -> Call:
    """Script `name` with the arguments found in `rest`: a number is the count, `20ms` or `5s` the seconds."""
    script = catalogue()[name]
    count, seconds = script.count, script.seconds
    for word in rest.split():
        if _NUMBER.fullmatch(word):
            count = min(int(word), _MAX_COUNT)
        elif duration := _DURATION.fullmatch(word):
            seconds = float(duration[1]) / (1000 if duration[2] == "ms" else 1)
    return Call(name=name, script=script, count=count, seconds=seconds, rest=rest)


_WORDS = (
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heron",
    "iris",
    "jade",
    "kelp",
    "larch",
)


def words(count: int) -> str:
    """`count` numbered words, twelve to a line: a gap or a repeat shows at once."""
    lines = []
    for start in range(0, count, 12):
        numbers = range(start, min(start + 12, count))
        lines.append(" ".join(f"{number + 1}:{_WORDS[number % len(_WORDS)]}" for number in numbers))
    return "\n".join(lines)
