"""The filter of system calls that a box runs under, compiled by libseccomp.

Namespaces do not hold everything: sockets to a hypervisor (AF_VSOCK) pass through a network namespace, and
the kernel's keys and io_uring know none. What no program of a box needs is refused; the rest is allowed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket

from sessions_app.drivers.base import DriverError

_LIBRARY = "libseccomp.so.2"
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EQUAL, _GREATER = 4, 6
_BAD_ARCHITECTURE, _OPTIMIZE = 2, 8

_FAMILIES = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK}
_REFUSED = (
    *("add_key", "request_key", "keyctl"),
    *("bpf", "perf_event_open", "userfaultfd", "kcmp", "lookup_dcookie", "open_by_handle_at"),
    *("mount", "umount2", "pivot_root", "setns", "move_mount", "open_tree", "mount_setattr"),
    *("fsopen", "fsconfig", "fsmount", "fspick", "swapon", "swapoff", "quotactl", "quotactl_fd"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot"),
    *("acct", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "iopl", "ioperm", "vhangup"),
)
# Programs that ask for it have another way when the kernel is said not to know it.
_UNKNOWN = ("io_uring_setup", "io_uring_enter", "io_uring_register")


class _Comparison(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operation", ctypes.c_int),
        ("value", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


def box_filter() -> bytes:
    """The filter as the kernel wants it, for this machine's architecture; calls of others do not exist."""
    library = _library()
    rules = library.seccomp_init(_ALLOW)
    try:
        _checked(library.seccomp_attr_set(rules, _BAD_ARCHITECTURE, _ERRNO | errno.ENOSYS))
        library.seccomp_attr_set(rules, _OPTIMIZE, 2)  # Older libraries do not know it.
        for name in _REFUSED:
            _refuse(library, rules, name, errno.EPERM)
        for name in _UNKNOWN:
            _refuse(library, rules, name, errno.ENOSYS)
        highest = max(_FAMILIES)
        _refuse(library, rules, "socket", errno.EAFNOSUPPORT, _Comparison(0, _GREATER, highest, 0))
        for family in set(range(highest)) - _FAMILIES:
            _refuse(library, rules, "socket", errno.EAFNOSUPPORT, _Comparison(0, _EQUAL, family, 0))
        return _exported(library, rules)
    finally:
        library.seccomp_release(rules)


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise DriverError(
            "libseccomp is not installed, and boxes need it. Debian and Ubuntu: apt-get install libseccomp2; "
            "Fedora: dnf install libseccomp. Or install Docker.",
            code="libseccomp_missing",
            permanent=True,
        ) from error
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = (ctypes.c_uint32,)
    library.seccomp_attr_set.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32)
    library.seccomp_syscall_resolve_name.argtypes = (ctypes.c_char_p,)
    library.seccomp_rule_add_array.argtypes = (
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_void_p,
    )
    library.seccomp_export_bpf.argtypes = (ctypes.c_void_p, ctypes.c_int)
    library.seccomp_release.argtypes = (ctypes.c_void_p,)
    return library


def _refuse(library: ctypes.CDLL, rules: int, name: str, answer: int, *when: _Comparison) -> None:
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number < 0:
        return  # This architecture has no such call, or the library was made before the kernel had it.
    comparisons = (_Comparison * len(when))(*when)
    _checked(library.seccomp_rule_add_array(rules, _ERRNO | answer, number, len(when), comparisons))


def _exported(library: ctypes.CDLL, rules: int) -> bytes:
    file = os.memfd_create("filter")
    try:
        _checked(library.seccomp_export_bpf(rules, file))
        return os.pread(file, os.fstat(file).st_size, 0)
    finally:
        os.close(file)


def _checked(result: int) -> None:
    if result < 0:
        raise OSError(-result, os.strerror(-result))
