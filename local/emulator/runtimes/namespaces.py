"""A network of its own for an execution environment: loopback, and nothing else.

Port 2773 is free in each, and nothing in it leaves the machine, C libraries and Node included.
That takes Linux, and either the right to make network namespaces or user namespaces. Elsewhere,
functions share this machine's network.

A thread can be in another namespace than its process. What it opens and starts is in that
namespace for good; so a namespace needs no process that keeps it, and ends with what is in it.
One thing still leads out: a Unix socket of this machine, such as the one of its name service.

https://man7.org/linux/man-pages/man7/network_namespaces.7.html
"""

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

# https://github.com/torvalds/linux/blob/master/include/uapi/linux/sched.h
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
# https://github.com/torvalds/linux/blob/master/include/uapi/linux/capability.h
_CAP_SYS_ADMIN = 1 << 21
# https://github.com/torvalds/linux/blob/master/include/uapi/linux/sockios.h
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1

_T = TypeVar("_T")


class Network(Protocol):
    """Where an execution environment listens, and where its processes are."""

    def run(self, work: Callable[[], _T]) -> _T:
        """Do something in the network: what is opened or started is in it for good."""

    def close(self) -> None:
        """Let go of the network."""


class MachineNetwork:
    """The network of this machine, where there are no namespaces."""

    def run(self, work: Callable[[], _T]) -> _T:
        """Do something."""
        return work()

    def close(self) -> None:
        """Do nothing."""


class Namespace:
    """A new network namespace in which loopback is up. OSError where there are none."""

    def __init__(self) -> None:
        self._descriptor = _in_new_thread(_open_namespace)

    def run(self, work: Callable[[], _T]) -> _T:
        """Do something in a thread that is in the namespace."""
        return _in_new_thread(lambda: _enter(self._descriptor, work))

    def close(self) -> None:
        """Let go of the namespace: it ends when the last process and socket in it do."""
        os.close(self._descriptor)


def prepare() -> None:
    """Get the right to make network namespaces, if need be and if possible.

    To be called before the process has threads: only then may it become the owner of a user
    namespace, in which it stays who it is.
    """
    if sys.platform != "linux" or _has_sys_admin():
        return
    user, group = os.geteuid(), os.getegid()
    try:
        _call("unshare", _CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    except OSError:
        return  # `are_available` says so


def are_available() -> bool:
    """Return whether this process can make network namespaces: it makes one."""
    if sys.platform != "linux":
        return False
    try:
        Namespace().close()
    except OSError:
        return False
    return True


def _has_sys_admin() -> bool:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (effective,) = (line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) & _CAP_SYS_ADMIN)


def _open_namespace() -> int:
    _call("unshare", _CLONE_NEWNET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        import fcntl  # noqa: PLC0415 (Windows has none)

        request = struct.pack("16sH22x", b"lo", _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _enter(descriptor: int, work: Callable[[], _T]) -> _T:
    _call("setns", descriptor, _CLONE_NEWNET)
    return work()


def _call(function: str, *arguments: int) -> None:
    """Call a function of the C library that Python 3.11 lacks. OSError when it fails."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, function)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def _in_new_thread(work: Callable[[], _T]) -> _T:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()
