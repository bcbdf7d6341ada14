"""A product is saved and brought back elsewhere; its sessions go on with their files and their memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from openagent.lib.data_dir import CHECKOUT
from tests import head_start, needs
from tests.end_to_end.client import Client, first_run, texts
from tests.end_to_end.custom_agents import WORKING, register_working
from tests.end_to_end.replay import check_replay
from tests.product import Product, data_directory


@pytest.mark.variant
def test_a_product_that_was_brought_back_goes_on() -> None:
    needs.bubblewrap()
    with data_directory() as data, data_directory() as place:
        head_start.give(data)
        product = Product(data, OPENAGENT_DRIVER="process")
        try:
            client = first_run(product.url, "admin", "write")
            register_working(product.url)
            session = str(client.post("/sessions/", {**MADE, "mode": "auto"})["id"])
            assert client.ended(session, client.prompt(session, "/demo work"))["stop_reason"] == "end_turn"
        finally:
            product.stop()
        before = client.token
        client.close()
        manage("backup", str(place / "backup"), "--data-dir", str(data))
        manage("restore", str(place / "backup"), "--data-dir", str(place / "again"))
        product = Product(place / "again", OPENAGENT_DRIVER="process")
        try:
            client = Client(product.url, before)
            turn = client.prompt(session, "/demo run cat hello.txt")
            ended = client.ended(session, turn)
            (tool,) = (item for item in ended["items"] if item["type"] == "tool")
            assert "hello from the demo model" in tool["output"] and texts(ended)
            assert len(client.conversation(session)["turns"]) == 2
            check_replay(client, session)
        finally:
            product.stop()
            client.close()


MADE = {"agent": WORKING, "provider": "demo", "model": "demo"}


def manage(*arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=CHECKOUT, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
