"""The smallest agent that is of use: it speaks ACP, asks before it writes a file, and says so."""

import json
import os
import sys


def send(**message: object) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def tell(update: dict[str, object]) -> None:
    send(method="session/update", params={"sessionId": "one", "update": update})


for line in sys.stdin:
    asked = json.loads(line)
    number, method = asked.get("id"), asked.get("method")
    if method == "initialize":
        send(id=number, result={"protocolVersion": 1, "agentInfo": {"name": "tiny", "version": "0.1"}})
    elif method == "session/new":
        send(id=number, result={"sessionId": "one"})
    elif method == "session/prompt":
        prompt, words = number, asked["params"]["prompt"][0]["text"]
        call = {
            "toolCallId": "c",
            "title": "Write it down",
            "kind": "edit",
            "locations": [{"path": "said.txt"}],
        }
        options = [{"optionId": "y", "name": "Yes", "kind": "allow_once"}]
        params = {"sessionId": "one", "toolCall": call, "options": options}
        send(id=7, method="session/request_permission", params=params)
    elif number == 7:
        if asked["result"]["outcome"].get("optionId") == "y":
            with open("said.txt", "w") as file:
                file.write(words)
            tell({"sessionUpdate": "tool_call_update", "toolCallId": "c", "status": "completed"})
            text = f"{os.environ['GREETING']}: {words}"
            tell({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}})
        send(id=prompt, result={"stopReason": "end_turn"})
