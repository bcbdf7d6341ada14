"""Floods whatever a box lets it reach: connections and nonsense to its gate, files, processes; stdlib."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time

SECONDS = 6.0
NONSENSE = os.urandom(64 * 1024)
REQUEST = b"POST /openai/v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: 999999999\r\n\r\n"


def flood_gate(until: float) -> None:
    """Connections that say nonsense, half a request, or nothing."""
    held: list[socket.socket] = []
    number = 0
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            connection = socket.create_connection(("127.0.0.1", 7001), timeout=1)
            held.append(connection)
            number += 1
            connection.settimeout(0.2)
            if number % 3:
                connection.sendall(REQUEST if number % 2 else b"")
                connection.sendall(NONSENSE)
        if len(held) > 200:
            held.pop(0).close()


def flood_files(until: float) -> None:
    """Many files, made and removed, in the folder that is watched."""
    number = 0
    while time.monotonic() < until:
        number += 1
        name = f"flood-{number % 3000}.txt"
        with open(name, "wb") as file:
            file.write(NONSENSE[:1024])
    for number in range(3000):
        with contextlib.suppress(OSError):
            os.unlink(f"flood-{number}.txt")


def main() -> None:
    until = time.monotonic() + SECONDS
    threads = [threading.Thread(target=work, args=(until,)) for work in (flood_gate, flood_gate, flood_files)]
    for thread in threads:
        thread.start()
    while time.monotonic() < until:
        print("noise " * 2000, flush=True)
    for thread in threads:
        thread.join()
    print("flood over")


if __name__ == "__main__":
    main()
