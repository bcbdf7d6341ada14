"""The box program and the box server together: orders, streams, gates and files, without the walls."""

from __future__ import annotations

import ast
import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.box import program
from sidecar.box_connections import Connection
from sidecar.box_protocol import MAX_READ_BYTES, BoxError
from tests.fakes.local_box import LocalBox, ended, local_box


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A gate that answers everything in capitals, once the caller has said all."""
    writer.write((await reader.read()).upper())
    await writer.drain()
    writer.close()


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[LocalBox]:
    async with local_box(tmp_path, {"models": echo}) as started:
        yield started


async def run(box: LocalBox, script: str, *, stdin: bytes = b"") -> tuple[int, bytes]:
    process = await box.server.exec(["sh", "-c", script], cwd=str(box.workspace))
    process.stdin.write(stdin)
    process.stdin.write_eof()
    output = await process.stream.read()
    return await process.wait(), output


async def test_exec_merges_output_and_tells_the_exit_code(box: LocalBox) -> None:
    assert await run(box, "echo out; echo err >&2; exit 7") == (7, b"out\nerr\n")


async def test_exec_feeds_standard_input_until_its_end(box: LocalBox) -> None:
    assert await run(box, "wc -c", stdin=b"x" * 300_000) == (0, b"300000\n")


async def test_exec_gives_the_environment_on_top_of_the_boxs_own(box: LocalBox) -> None:
    process = await box.server.exec(
        ["sh", "-c", "echo $COLOUR $HOME"], env={"COLOUR": "red"}, cwd=str(box.workspace)
    )
    assert (await process.stream.read()).decode().split() == ["red", str(box.home)]


async def test_exec_of_an_unknown_program_is_refused(box: LocalBox) -> None:
    with pytest.raises(BoxError) as caught:
        await box.server.exec(["/nowhere"], cwd=str(box.workspace))
    assert caught.value.code == "not_found"
    assert not box.server.lost.is_set()


async def test_a_script_may_reopen_its_output(box: LocalBox) -> None:
    assert await run(box, "echo again > /dev/stderr") == (0, b"again\n")


async def test_output_that_nobody_reads_stops_the_program(box: LocalBox) -> None:
    process = await box.server.exec(
        ["sh", "-c", "while printf '%01024d' 0; do printf x >> count; done"], cwd=str(box.workspace)
    )
    count = box.workspace / "count"
    before, now = 0, 0
    while now != before or not now:  # It may not have begun.
        await asyncio.sleep(0.5)
        before, now = now, count.stat().st_size if count.exists() else 0
    assert 0 < now < 2048  # Kilobytes: what pipes and sockets hold.
    await process.close()


async def test_kill_reaches_the_whole_process_group(box: LocalBox) -> None:
    process = await box.server.exec(["sh", "-c", "sleep 600 & echo $!; wait"], cwd=str(box.workspace))
    child = int(await process.stream.readline())
    await process.kill(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    assert await process.stream.read() == b""  # The pipe ends, so the child is gone as well.
    await ended(child)


async def test_wait_does_not_wait_for_a_server_left_behind(box: LocalBox) -> None:
    process = await box.server.exec(["sh", "-c", "sleep 600 & echo started"], cwd=str(box.workspace))
    assert await asyncio.wait_for(process.wait(), 10) == 0
    assert await process.stream.readline() == b"started\n"
    await process.kill(signal.SIGKILL)
    assert await process.stream.read() == b""


async def test_killing_what_has_ended_is_success(box: LocalBox) -> None:
    process = await box.server.exec(["true"], cwd=str(box.workspace))
    await process.wait()
    await process.kill(signal.SIGTERM)
    assert (await run(box, "echo alive"))[1] == b"alive\n"


async def test_a_hundred_programs_run_at_once(box: LocalBox) -> None:
    answers = await asyncio.gather(*(run(box, f"sleep 0.2; echo {n}; exit {n}") for n in range(100)))
    assert answers == [(n, f"{n}\n".encode()) for n in range(100)]


async def test_connect_reaches_a_loopback_port_with_half_close(box: LocalBox) -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        reader, writer = await box.server.connect(server.sockets[0].getsockname()[1])
        writer.write(b"hello")
        writer.write_eof()
        assert await reader.read() == b"HELLO"
        writer.close()


async def test_connect_to_a_closed_port_is_refused(box: LocalBox) -> None:
    with pytest.raises(BoxError) as caught:
        await box.server.connect(1)
    assert caught.value.code == "refused"


async def test_who_gives_up_as_the_answer_comes_has_given_up(
    box: LocalBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        let_go.set()
        writer.close()

    async def answered(connection: Connection) -> None:
        order.cancel()  # Whoever gave the order was told, but has not run since.
        await closed(connection)

    closed = Connection.closed
    monkeypatch.setattr(Connection, "closed", answered)
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        order = asyncio.create_task(box.server.connect(server.sockets[0].getsockname()[1]))
        with pytest.raises(asyncio.CancelledError):
            await order
        async with asyncio.timeout(10):
            await let_go.wait()


async def test_a_loopback_listener_leads_to_its_gate(box: LocalBox) -> None:
    async def call(text: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", box.server.gate_ports["models"])
        writer.write(text)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    texts = [bytes([97 + n]) * 200_000 for n in range(20)]
    assert await asyncio.gather(*map(call, texts)) == [text.upper() for text in texts]


async def test_files_are_listed_and_read(box: LocalBox) -> None:
    (box.workspace / "src").mkdir()
    (box.workspace / "src" / "a.txt").write_bytes(b"0123456789")
    (box.workspace / "link").symlink_to("src")
    os.mkfifo(box.workspace / "pipe")
    listing = await box.server.list_files("")
    assert [(entry.name, entry.type) for entry in listing.entries] == [
        ("link", "link"),
        ("pipe", "other"),
        ("src", "dir"),
    ]
    assert not listing.truncated
    [entry] = (await box.server.list_files("/src/")).entries
    assert (entry.name, entry.type, entry.size) == ("a.txt", "file", 10)
    assert entry.modified == pytest.approx((box.workspace / "src" / "a.txt").stat().st_mtime, abs=1)
    assert await box.server.read_file("src/a.txt", 3, 4) == b"3456"
    assert await box.server.read_file("link/a.txt", 8, 100) == b"89"
    assert await box.server.read_file("src/a.txt", 100, 5) == b""


async def test_a_large_file_is_read_in_pieces(box: LocalBox) -> None:
    data = os.urandom(MAX_READ_BYTES * 2 + 5)
    (box.workspace / "large").write_bytes(data)
    read = b""
    while part := await box.server.read_file("large", len(read), 10**9):
        assert len(part) <= MAX_READ_BYTES
        read += part
    assert read == data


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../outside", "outside"),
        ("escape/secret", "outside"),
        ("escape", "outside"),
        ("missing", "not_found"),
        ("folder", "not_a_file"),
        ("pipe", "not_a_file"),
        ("file/below", "not_a_directory"),
        ("nul\0", "not_found"),
        ("nul\\x00", "not_found"),
        ("loop", "failed"),
        ("x" * 4000, "failed"),
        ("x" * 5000, "not_found"),
        ("\udc80", "not_found"),
    ],
)
async def test_what_cannot_be_read_says_why(box: LocalBox, path: str, code: str) -> None:
    (box.workspace.parent / "outside").write_text("secret")
    (box.workspace / "escape").symlink_to("..")
    (box.workspace / "loop").symlink_to("loop")
    (box.workspace / "folder").mkdir()
    (box.workspace / "file").touch()
    os.mkfifo(box.workspace / "pipe")
    with pytest.raises(BoxError) as caught:
        await box.server.read_file(path, 0, 10)
    assert caught.value.code == code
    assert not box.server.lost.is_set()


@pytest.mark.parametrize(
    "name",
    [
        b"line\nbreak",
        b"bad\xff\xfeutf8",
        "right\u202eleft".encode(),
        b"back\\slash",
        b"\\x41",
        "日本 語.txt".encode(),
        "\u00a0nbsp".encode(),
        "\U0001f9d1\u200d\U0001f4bb".encode(),
        b"n" * 255,
        b"\xff" * 255,
    ],
)
async def test_a_strange_name_survives_as_text(box: LocalBox, name: bytes) -> None:
    (box.workspace / os.fsdecode(name)).write_bytes(b"content of " + name)
    [entry] = (await box.server.list_files(".")).entries
    assert entry.name.isprintable() or "\u00a0" in entry.name
    assert entry.name.encode().decode() == entry.name
    assert await box.server.read_file(entry.name, 0, 1000) == b"content of " + name


async def test_a_folder_with_too_many_files_is_truncated(box: LocalBox) -> None:
    for number in range(2100):
        (box.workspace / f"{number:04}").touch()
    listing = await box.server.list_files("")
    assert listing.truncated and len(listing.entries) == 2000


async def test_the_box_ends_with_its_sidecar_and_takes_its_programs_along(tmp_path: Path) -> None:
    async with local_box(tmp_path) as box:
        process = await box.server.exec(["sh", "-c", "echo $$; exec sleep 600"], cwd=str(box.workspace))
        pid = int(await process.stream.readline())
        await box.server.close()
        assert await asyncio.wait_for(box.process.wait(), 15) == 0
        with pytest.raises(BoxError):
            await process.wait()
    await ended(pid)


async def test_a_box_that_ends_is_lost_and_everything_says_so(box: LocalBox) -> None:
    process = await box.server.exec(["sleep", "600"], cwd=str(box.workspace))
    box.process.kill()
    await asyncio.wait_for(box.server.lost.wait(), 10)
    for attempt in (process.wait(), box.server.connect(1), box.server.list_files("")):
        with pytest.raises(BoxError) as caught:
            await attempt
        assert caught.value.code == "box_lost"
    await process.kill(signal.SIGKILL)
    assert await process.stream.read() == b""


def test_it_is_written_for_the_oldest_python_of_a_box() -> None:
    for file in Path(program.__file__).parent.glob("*.py"):
        ast.parse(file.read_text(), feature_version=(3, 9))
