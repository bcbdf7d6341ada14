"""A small agent on ACP that works with its model for real: it streams, runs commands, asks, remembers.

For tests of the platform around an agent: it starts in a fraction of the time that OpenCode needs. It runs
by itself in a box, so it has nothing but the standard library. `GATE` and `MODEL` say whom it asks, and
`START_SECONDS` how long its start takes beside that: real agents take some time.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SESSIONS = Path.home() / ".working-agent"
OPTIONS = [
    {"optionId": "yes", "name": "Allow", "kind": "allow_once"},
    {"optionId": "no", "name": "Reject", "kind": "reject_once"},
]
OUTPUT_BYTES = 30_000
CHUNKS = {"reasoning_content": "agent_thought_chunk", "content": "agent_message_chunk"}
TOOLS = [
    {"name": name, "parameters": {"type": "object", "properties": {key: {"type": "string"} for key in keys}}}
    for name, keys in {"bash": ("command",), "write": ("filePath", "content")}.items()
]


class Cancelled(Exception):
    """The client wants the turn to end."""


class WorkingAgent:
    """One connection with one session, whose conversation outlives it on the disk."""

    def __init__(self) -> None:
        self._session = ""
        self._history: list[dict[str, Any]] = []
        self._cancelled = threading.Event()
        self._answers: dict[str, Any] = {}
        self._answered = threading.Condition()
        self._command: subprocess.Popen[bytes] | None = None

    def take(self, message: dict[str, Any]) -> None:
        """One line of the client."""
        method, params, number = message.get("method"), message.get("params") or {}, message.get("id")
        match method:
            case None:
                with self._answered:
                    self._answers[str(number)] = message.get("result")
                    self._answered.notify_all()
            case "initialize":
                able, info = {"loadSession": True}, {"name": "working", "version": "1"}
                send(id=number, result={"protocolVersion": 1, "agentCapabilities": able, "agentInfo": info})
            case "session/new":
                self._session = str(uuid.uuid4())
                self._save()
                send(id=number, result={"sessionId": self._session})
            case "session/load":
                self._session = params["sessionId"]
                self._history = json.loads(self._file.read_text())
                send(id=number, result={})
            case "session/prompt":
                self._cancelled.clear()
                prompt = params["prompt"][0]["text"]
                threading.Thread(target=self._play, args=(number, prompt), daemon=True).start()
            case "session/cancel":
                self._cancel()
            case _:
                send(id=number, error={"code": -32601, "message": f"no {method}"})

    @property
    def _file(self) -> Path:
        return SESSIONS / f"{self._session}.json"

    def _cancel(self) -> None:
        with self._answered:
            self._cancelled.set()
            self._answered.notify_all()
        if self._command is not None:
            kill(self._command)

    def _play(self, number: Any, prompt: str) -> None:
        try:
            self._remember(role="user", content=prompt)
            while calls := self._ask_model():
                for call in calls:
                    self._remember(role="tool", tool_call_id=call["id"], content=self._use(call))
        except Cancelled:
            send(id=number, result={"stopReason": "cancelled"})
        except OSError as error:
            # The gate has seen what the provider answered and says so better than an agent could.
            send(id=number, error={"code": -32603, "message": str(error)})
        else:
            send(id=number, result={"stopReason": "end_turn"})

    def _remember(self, **entry: Any) -> None:
        self._history.append(entry)
        self._save()

    def _save(self) -> None:
        SESSIONS.mkdir(exist_ok=True)
        whole = self._file.with_suffix(".new")
        whole.write_text(json.dumps(self._history))
        whole.replace(self._file)

    def _ask_model(self) -> list[dict[str, Any]]:
        """Tell what the model says; the tool calls that it makes."""
        said, calls, message = "", dict[int, dict[str, Any]](), str(uuid.uuid4())
        for delta in stream(self._history):
            if self._cancelled.is_set():
                raise Cancelled
            for key, kind in CHUNKS.items():
                if text := delta.get(key):
                    said += text if key == "content" else ""
                    self._tell(kind, content={"type": "text", "text": text}, messageId=f"{message}-{key}")
            for piece in delta.get("tool_calls", ()):
                call = calls.setdefault(piece["index"], {"type": "function", "function": {"arguments": ""}})
                call.setdefault("id", piece.get("id"))
                call["function"].setdefault("name", piece["function"].get("name"))
                call["function"]["arguments"] += piece["function"].get("arguments", "")
        made = [calls[index] for index in sorted(calls)]
        self._remember(role="assistant", content=said, **({"tool_calls": made} if made else {}))
        return made

    def _use(self, call: dict[str, Any]) -> str:
        name, asked = call["function"]["name"], json.loads(call["function"]["arguments"])
        told = {"toolCallId": call["id"], "rawInput": asked}
        if name == "bash":
            told |= {"title": asked["command"], "kind": "execute"}
        else:
            told |= {"title": asked["filePath"], "kind": "edit", "locations": [{"path": asked["filePath"]}]}
        self._tell("tool_call", status="pending", **told)
        if not self._permitted(told):
            self._tell("tool_call_update", toolCallId=call["id"], status="failed")
            return "rejected"
        self._tell("tool_call_update", toolCallId=call["id"], status="in_progress")
        result = self._run(asked["command"], call["id"]) if name == "bash" else write(asked)
        self._tell("tool_call_update", toolCallId=call["id"], status="completed", content=shown(result))
        return result

    def _permitted(self, told: dict[str, Any]) -> bool:
        number = str(uuid.uuid4())
        params = {"sessionId": self._session, "toolCall": told, "options": OPTIONS}
        send(id=number, method="session/request_permission", params=params)
        with self._answered:
            self._answered.wait_for(lambda: number in self._answers or self._cancelled.is_set())
        if self._cancelled.is_set():
            raise Cancelled
        return bool(self._answers.pop(number)["outcome"].get("optionId") == "yes")

    def _run(self, command: str, call: str) -> str:
        """What it printed, as far as a model would want to read it."""
        output = b""
        with subprocess.Popen(
            ["bash", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        ) as self._command:
            assert self._command.stdout is not None
            if self._cancelled.is_set():
                kill(self._command)
            while piece := self._command.stdout.read(65536):
                if len(output) < OUTPUT_BYTES:
                    output = (output + piece)[:OUTPUT_BYTES]
                    told = shown(output.decode("utf-8", "replace"))
                    self._tell("tool_call_update", toolCallId=call, content=told)
        self._command = None
        if self._cancelled.is_set():
            raise Cancelled
        return output.decode("utf-8", "replace")

    def _tell(self, update_kind: str, /, **fields: Any) -> None:
        update = {"sessionUpdate": update_kind, **fields}
        send(method="session/update", params={"sessionId": self._session, "update": update})


def kill(command: subprocess.Popen[bytes]) -> None:
    """End it and its children, if it has not ended by itself."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(command.pid, signal.SIGKILL)


def shown(text: str) -> list[dict[str, Any]]:
    return [{"type": "content", "content": {"type": "text", "text": text}}]


def write(asked: dict[str, str]) -> str:
    Path(asked["filePath"]).write_text(asked["content"])
    return f"Wrote {asked['filePath']}."


def stream(history: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The pieces of the model's next reply; OSError when there is none."""
    system = {"role": "system", "content": f"Working directory: {os.getcwd()}"}
    tools = [{"type": "function", "function": tool} for tool in TOOLS]
    body = {"model": os.environ["MODEL"], "messages": [system, *history], "tools": tools, "stream": True}
    request = urllib.request.Request(
        os.environ["GATE"] + "/v1/chat/completions",
        data=json.dumps({**body, "stream_options": {"include_usage": True}}).encode(),
        headers={"content-type": "application/json", "authorization": f"Bearer {os.environ['TOKEN']}"},
    )
    with urllib.request.urlopen(request) as answer:
        for line in answer:
            if line.startswith(b"data: {"):
                for choice in json.loads(line.removeprefix(b"data: "))["choices"]:
                    yield choice["delta"]


def send(**message: Any) -> None:
    # One write, so that threads do not mix their lines.
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    time.sleep(float(os.environ["START_SECONDS"]))
    agent = WorkingAgent()
    for line in sys.stdin:
        agent.take(json.loads(line))
