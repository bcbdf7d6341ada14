"""The filter that a box in a container puts itself under holds for whatever it starts."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from sidecar.box import confined

PROGRAM = """
import ctypes, errno, socket
for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, 40, 38, 17, 29):
    try:
        socket.socket(family, socket.SOCK_RAW if family in (16, 17, 29) else socket.SOCK_STREAM).close()
        print(int(family), "made")
    except OSError as error:
        print(int(family), errno.errorcode[error.errno])
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(425, 1, 0), errno.errorcode[ctypes.get_errno()])
"""


def test_only_the_usual_sockets_can_be_made_and_io_uring_does_not_exist() -> None:
    if platform.machine() not in confined._MACHINES:
        pytest.skip("no filter for this processor")
    command = [sys.executable, "-I", "-S", confined.__file__, sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    families, (*_, uring) = {}, done.stdout.splitlines()
    for line in done.stdout.splitlines()[:-1]:
        family, _, outcome = line.partition(" ")
        families[int(family)] = outcome
    assert families == {
        **dict.fromkeys((1, 2, 10, 16), "made"),
        **dict.fromkeys((40, 38, 17, 29), "EAFNOSUPPORT"),
    }
    assert uring == "-1 ENOSYS"


def test_a_processor_that_it_does_not_know_gets_no_box() -> None:
    with pytest.raises(KeyError):
        confined.instructions("sparc")
