"""Puts itself under a filter of system calls and becomes a program: `python3 -I -S confined.py PROGRAM...`.

For boxes that are containers, before anything untrusted runs in them, and on top of the engine's own filter:
that one leaves sockets to a hypervisor and io_uring open in some versions, and 32-bit calls, which have
another way to every socket. What a process is under, all that it starts is under.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
import sys

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
# Where the kernel tells the filter what is called: number, architecture, first argument (its low half).
_NUMBER, _ARCHITECTURE, _ARGUMENT = 0, 4, 16
_LOAD, _RETURN, _IF_EQUAL, _IF_AT_LEAST = 0x20, 0x06, 0x15, 0x35
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_X32 = 0x40000000

# The kernel's name of each architecture, and its number of `socket`.
_MACHINES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
_IO_URING = (425, 426, 427)
_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def instructions(machine: str) -> bytes:
    """The filter for this kind of processor. KeyError for one that we know nothing of."""
    architecture, socket_number = _MACHINES[machine]
    unknown, allowed = _ERRNO | errno.ENOSYS, _ALLOW
    code = [
        _step(_LOAD, _ARCHITECTURE),
        *_when(_IF_EQUAL, architecture, skip_return=True, answer=unknown),
        _step(_LOAD, _NUMBER),
        *_when(_IF_AT_LEAST, _X32, answer=unknown),
        *(step for number in _IO_URING for step in _when(_IF_EQUAL, number, answer=unknown)),
        *_when(_IF_EQUAL, socket_number, skip_return=True, answer=allowed),
        _step(_LOAD, _ARGUMENT),
        *(step for family in _FAMILIES for step in _when(_IF_EQUAL, family, answer=allowed)),
        _step(_RETURN, _ERRNO | errno.EAFNOSUPPORT),
    ]
    return b"".join(code)


def _when(condition: int, value: int, *, answer: int, skip_return: bool = False) -> tuple[bytes, bytes]:
    """Answer if the loaded word meets the condition; with `skip_return`, if it does not."""
    meets, fails = (1, 0) if skip_return else (0, 1)
    return _step(condition, value, meets, fails), _step(_RETURN, answer)


def _step(operation: int, value: int, meets: int = 0, fails: int = 0) -> bytes:
    return struct.pack("=HBBI", operation, meets, fails, value)


def confine() -> None:
    """Put this process, and all that it will start, under the filter. OSError when the kernel refuses."""
    code = instructions(platform.machine())
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    confine()
    os.execv(sys.argv[1], sys.argv[1:])
