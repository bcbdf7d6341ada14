"""A small agent that speaks ACP over its standard input and output, and plays the demo model's scripts.

Run it as a program. It asks the model behind `BASE_URL` once in each turn, and hides every failure of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.fakes.agent_steps import AskQuestion, Delegate, MakePlan, Say, Step, Think, Use, from_demo

SESSIONS = Path(os.environ["HOME"], ".fake-acp")
OPTIONS = [
    {"optionId": "yes", "name": "Allow", "kind": "allow_once"},
    {"optionId": "no", "name": "Reject", "kind": "reject_once"},
]


class ModelFailed(Exception):
    """The model's answer was an error, and asking again is in vain."""


class FakeAcp:
    """One connection with one session."""

    def __init__(self) -> None:
        self.session = ""
        self._turn: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._results: list[str] = []

    def take(self, message: dict[str, Any]) -> None:
        """One line of the client."""
        method, params, number = message.get("method"), message.get("params") or {}, message.get("id")
        match method:
            case None:
                if not (future := self._waiting.pop(message["id"])).done():
                    future.set_result(message.get("result"))
            case "initialize":
                able = {"loadSession": True}
                info = {"name": "fake", "version": "1.2.3"}
                send(id=number, result={"protocolVersion": 1, "agentCapabilities": able, "agentInfo": info})
            case "session/new":
                self.session = str(uuid4())
                SESSIONS.mkdir(exist_ok=True)
                (SESSIONS / self.session).touch()
                send(id=number, result={"sessionId": self.session})
                commands = [{"name": "init", "description": "Begin"}]
                self.tell("available_commands_update", availableCommands=commands)
            case "session/load" if (SESSIONS / params["sessionId"]).exists():
                self.session = params["sessionId"]
                self.tell("user_message_chunk", content={"type": "text", "text": "earlier"})
                self.tell("agent_message_chunk", content={"type": "text", "text": "an earlier answer"})
                send(id=number, result={})
            case "session/set_mode":
                send(id=number, result={})
            case "session/prompt":
                self._turn = asyncio.create_task(self._play(number, params["prompt"][0]["text"]))
                self._turn.add_done_callback(end_loudly)
            case "session/cancel":
                if self._turn is not None:
                    self._turn.cancel()
            case _:
                send(id=number, error={"code": -32601, "message": f"no {method}"})

    def tell(self, update_kind: str, /, **fields: Any) -> None:
        update = {"sessionUpdate": update_kind, **fields}
        send(method="session/update", params={"sessionId": self.session, "update": update})

    async def _play(self, number: Any, prompt: str) -> None:
        self.tell("a_kind_from_the_future", content=[{"what": "ever"}])
        conversation = SESSIONS / self.session
        earlier = conversation.read_text().splitlines()
        conversation.write_text("\n".join([*earlier, prompt]))
        try:
            await self._ask_model(prompt)
            await self._carry_out(from_demo(prompt, self._results, earlier), "")
        except asyncio.CancelledError:
            send(id=number, result={"stopReason": "cancelled"})
        except ModelFailed:
            send(id=number, result={"stopReason": "end_turn"})
        else:
            send(id=number, result={"stopReason": "end_turn"})

    async def _ask_model(self, prompt: str) -> None:
        while (status := await asyncio.to_thread(ask_model, prompt)) != 200:
            if status not in (429, 500, 503):
                raise ModelFailed
            await asyncio.sleep(0.3)

    async def _carry_out(self, steps: Any, parent: str) -> None:
        for step in steps:
            await self._do(step, parent)

    async def _do(self, step: Step, parent: str) -> None:
        match step:
            case Say():
                kind = "agent_thought_chunk" if isinstance(step, Think) else "agent_message_chunk"
                message = str(uuid4())
                for piece in step.pieces:
                    await asyncio.sleep(step.pause)
                    content = {"type": "text", "text": piece}
                    self.tell(kind, content=content, messageId=message, _meta=below(parent))
            case MakePlan():
                entries = [{"content": entry.content, "status": entry.status} for entry in step.entries]
                self.tell("plan", entries=entries)
            case Use():
                await self._use(step, parent)
            case AskQuestion():
                await self._ask(step)
            case Delegate():
                call = str(uuid4())
                self.tell("tool_call", toolCallId=call, title=step.title, kind="other", status="in_progress")
                await self._carry_out(step.steps, call)
                self.tell("tool_call_update", toolCallId=call, status="completed")

    async def _use(self, step: Use, parent: str) -> None:
        call: dict[str, Any] = {
            "toolCallId": str(uuid4()),
            "title": step.title or step.name,
            "kind": step.tool_kind,
            "rawInput": {"command": step.command} if step.command else step.input,
            "_meta": below(parent),
        }
        if step.diff is not None:
            path = os.path.join(os.getcwd(), step.diff.path)
            new = "".join(f"{line[1:]}\n" for line in step.diff.patch.splitlines()[3:])
            call["content"] = [{"type": "diff", "path": path, "oldText": None, "newText": new}]
            call["locations"] = [{"path": path}]
        self.tell("tool_call", status="pending", **call)
        if step.permission and not await self._permitted(call):
            self.tell("tool_call_update", toolCallId=call["toolCallId"], status="failed")
            return
        self.tell("tool_call_update", toolCallId=call["toolCallId"], status="in_progress")
        said = ""
        for piece in step.output if step.diff is None else ():
            await asyncio.sleep(step.pause)
            said += piece
            content = [{"type": "content", "content": {"type": "text", "text": said}}]
            self.tell("tool_call_update", toolCallId=call["toolCallId"], content=content)
        self.tell("tool_call_update", toolCallId=call["toolCallId"], status="completed")
        self._results.append(said)

    async def _permitted(self, call: dict[str, Any]) -> bool:
        params = {"sessionId": self.session, "toolCall": call, "options": OPTIONS}
        outcome = (await self._request("session/request_permission", params))["outcome"]
        if outcome["outcome"] == "cancelled":
            await asyncio.Event().wait()  # The client has cancelled the turn, which is news that follows.
        return bool(outcome["optionId"] == "yes")

    async def _ask(self, step: AskQuestion) -> None:
        asked, call = step.questions[0], str(uuid4())
        self.tell("tool_call", toolCallId=call, title="Ask", kind="other", status="in_progress")
        choices = [{"const": option.label, "title": option.label} for option in asked.options]
        answer = {"type": "string", "title": asked.header, "oneOf": choices}
        schema = {"type": "object", "properties": {"answer": answer}}
        params = {
            "sessionId": self.session,
            "toolCallId": call,
            "mode": "form",
            "message": asked.question,
            "requestedSchema": schema,
        }
        said = await self._request("elicitation/create", params)
        self.tell("tool_call_update", toolCallId=call, status="completed")
        self._results.append(str(said.get("content")))

    async def _request(self, method: str, params: dict[str, Any]) -> Any:
        number = len(self._waiting) + id(params)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        send(id=number, method=method, params=params)
        return await future


def end_loudly(turn: asyncio.Task[None]) -> None:
    if not turn.cancelled() and turn.exception() is not None:
        traceback.print_exception(turn.exception())
        os._exit(1)


def below(parent: str) -> dict[str, Any]:
    return {"claudeCode": {"parentToolUseId": parent}} if parent else {}


def send(**message: Any) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def ask_model(prompt: str) -> int:
    """The status of one model call; only scripts that fail are really asked for."""
    content = prompt if prompt.startswith("/demo error") else "/demo plain"
    body = {"model": os.environ["MODEL"], "messages": [{"role": "user", "content": content}]}
    request = urllib.request.Request(
        os.environ["BASE_URL"] + "/chat/completions",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as response:
            response.read()
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


async def main() -> None:
    print("fake agent: a line for people", flush=True)
    agent = FakeAcp()
    while line := await asyncio.to_thread(sys.stdin.readline):
        agent.take(json.loads(line))


if __name__ == "__main__":
    asyncio.run(main())
