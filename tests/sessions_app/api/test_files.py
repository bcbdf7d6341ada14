"""Files of the workspace over REST, through the real relay to a link that has a workspace in memory."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import AsyncClient

from openagent.lib.errors import AppError
from sessions_app import relay
from sessions_app.api import answers
from sessions_app.models import Session
from sidecar.protocol import queries
from tests.sessions_app.api.problems import problem
from tests.sessions_app.api.workspace_link import Workspace

pytestmark = pytest.mark.django_db(transaction=True)

SLICE = queries.MAX_READ_BYTES


def url_of(session: Session, what: str = "content/") -> str:
    return f"/api/v1/sessions/{session.pk}/files/{what}"


async def body_of(response: Any) -> bytes:
    return b"".join([piece async for piece in response.streaming_content])


async def test_a_folder_is_listed(session: Session, workspace: Workspace, client: AsyncClient) -> None:
    workspace.files = {"a\x1b[31m.txt": b"12345"}
    response = await client.get(url_of(session, ""), {"path": "src"})
    body = response.json()
    assert body["path"] == "src"
    assert body["entries"] == [
        {"name": "a\x1b[31m.txt", "type": "file", "size": 5, "modified_at": "2026-11-22T10:00:00Z"},
        {"name": "odd", "type": "other", "size": 0, "modified_at": None},
    ]
    assert answers.FileListSerializer(body).data == body
    assert workspace.asked == [("files.list", {"path": "src"})]


async def test_a_text_file_is_shown_as_nothing_but_text(
    session: Session, workspace: Workspace, client: AsyncClient
) -> None:
    workspace.files["page.html"] = b"<script>alert(1)</script> \xc3\xa9"
    response = await client.get(url_of(session), {"path": "page.html"})
    assert await body_of(response) == workspace.files["page.html"]
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Length"] == "28"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"] == 'attachment; filename="page.html"'
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize(
    ("content", "query"),
    [(b"\x89PNG\x00", {}), (b"\xff\xfe", {}), (b"text", {"download": "1"})],
    ids=["null", "not utf-8", "download"],
)
async def test_everything_else_is_just_bytes(
    session: Session, workspace: Workspace, client: AsyncClient, content: bytes, query: dict[str, str]
) -> None:
    workspace.files["f"] = content
    response = await client.get(url_of(session), {"path": "f", **query})
    assert await body_of(response) == content
    assert response["Content-Type"] == "application/octet-stream"


async def test_a_large_file_comes_slice_by_slice_as_it_is_read(
    session: Session, workspace: Workspace, client: AsyncClient
) -> None:
    workspace.files["big"] = bytes(range(256)) * 2048 * 4 + b"the end"
    response: Any = await client.get(url_of(session), {"path": "big", "download": "1"})
    assert response["Content-Length"] == str(len(workspace.files["big"]))
    pieces = response.streaming_content
    assert len(await anext(pieces)) == SLICE
    # Nothing is read ahead: what has not been sent has not been asked for.
    assert workspace.offsets() == [0]
    rest = [piece async for piece in pieces]
    assert len(rest) == 4
    assert b"".join(rest) == workspace.files["big"][SLICE:]
    assert workspace.offsets() == [SLICE * n for n in range(5)]


async def test_a_slice_may_end_within_a_character(
    session: Session, workspace: Workspace, client: AsyncClient
) -> None:
    workspace.files["text"] = b"x" * (SLICE - 1) + "é and more".encode()
    response = await client.get(url_of(session), {"path": "text"})
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert await body_of(response) == workspace.files["text"]


async def test_an_empty_file_is_empty(session: Session, workspace: Workspace, client: AsyncClient) -> None:
    workspace.files["empty"] = b""
    response = await client.get(url_of(session), {"path": "empty"})
    assert (await body_of(response), response["Content-Length"]) == (b"", "0")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("src/a b.txt", '"a b.txt"'),
        ('"; evil="x', '"_; evil=_x"'),
        ("line\r\nSet-Cookie: a=b", '"line__Set-Cookie: a=b"'),
        ("..", '".."'),
        ("dir/", '"dir"'),
        ("naïve‮txt.exe", "utf-8''na%C3%AFve_txt.exe"),
        ("x" * 300, f'"{"x" * 200}"'),
    ],
)
async def test_a_hostile_name_does_no_harm(
    session: Session, workspace: Workspace, client: AsyncClient, path: str, name: str
) -> None:
    workspace.files[path] = b"x"
    response = await client.get(url_of(session), {"path": path})
    separator = "*=" if name.startswith("utf-8") else "="
    assert response["Content-Disposition"] == f"attachment; filename{separator}{name}"
    assert await body_of(response) == b"x"


async def test_what_the_sidecar_says_is_passed_on(
    session: Session, workspace: Workspace, client: AsyncClient
) -> None:
    problem(await client.get(url_of(session), {"path": "none"}), 404, "not_found")


async def test_a_sleeping_session_says_so(session: Session, client: AsyncClient) -> None:
    problem(await client.get(url_of(session), {"path": "a"}), 409, "asleep")
    problem(await client.get(url_of(session, "")), 409, "asleep")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"path": "a", "offset": 5, "content": "", "end": True},
        {"path": "a", "offset": 0, "content": "", "end": False},
        {"path": "a", "offset": 0, "content": "!", "end": True},
        {"path": "a", "offset": 0, "content": "AAAA" * (SLICE // 3 + 1), "end": True},
        {"path": 3, "entries": "x"},
    ],
)
async def test_an_answer_that_makes_no_sense_is_not_believed(
    session: Session, workspace: Workspace, client: AsyncClient, answer: dict[str, Any]
) -> None:
    workspace.answer = answer
    problem(await client.get(url_of(session), {"path": "a"}), 502, "bad_answer")
    problem(await client.get(url_of(session, ""), {"path": "a"}), 502, "bad_answer")


@pytest.mark.parametrize("happens", ["the link is lost", "the file is cut", "nonsense"])
async def test_a_stream_that_is_cut_does_not_look_complete(
    session: Session, workspace: Workspace, client: AsyncClient, happens: str
) -> None:
    workspace.files["src/big"] = b"x" * (3 * SLICE)
    response = await client.get(url_of(session), {"path": "src/big"})
    if happens == "the link is lost":
        relay.remove_link(workspace)
    elif happens == "the file is cut":
        workspace.files["src/big"] = b"x" * (SLICE + 1)
    else:
        workspace.answer = {"offset": 7}
    assert response["Content-Length"] == str(3 * SLICE)
    if happens == "the file is cut":
        assert await body_of(response) == workspace.files["src/big"]
    else:
        with pytest.raises(AppError):
            await body_of(response)


async def test_a_file_that_grows_is_sent_as_long_as_was_promised(
    session: Session, workspace: Workspace, client: AsyncClient
) -> None:
    workspace.files["log"] = b"x" * (SLICE + 5)
    response = await client.get(url_of(session), {"path": "./log"})
    workspace.files["log"] += b"y" * SLICE
    assert response["Content-Length"] == str(SLICE + 5)
    assert await body_of(response) == b"x" * (SLICE + 5)


async def test_a_file_whose_size_nobody_can_tell_is_sent_without_a_length(
    session: Session, workspace: Workspace, client: AsyncClient
) -> None:
    workspace.files["link"] = b"x" * (SLICE + 5)
    workspace.links.add("link")
    response = await client.get(url_of(session), {"path": "link"})
    assert "Content-Length" not in response
    assert await body_of(response) == workspace.files["link"]


async def test_reading_files_keeps_a_session_awake(
    session: Session, workspace: Workspace, client: AsyncClient
) -> None:
    await Session.objects.filter(pk=session.pk).aupdate(idle_passes=7)
    await client.get(url_of(session, ""))
    await session.arefresh_from_db()
    assert session.idle_passes == 0


@pytest.mark.parametrize("query", ["path=%00", "path=" + "x" * 4097, ""])
async def test_what_is_no_path_is_refused(
    session: Session, workspace: Workspace, client: AsyncClient, query: str
) -> None:
    problem(await client.get(f"{url_of(session)}?{query}"), 400, "invalid")
    assert workspace.asked == []
