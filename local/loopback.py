"""Keeps every request of this process on this machine.

Standard library only, to load quickly: the emulator, the extension and the processes of Python
functions install it. An audit hook covers neither C libraries nor child processes, and a host name
passed to a socket's `connect` is resolved before the connection is rejected. Where the machine has
network namespaces, functions run in one, which has none of these limits.
"""

import socket
import sys

_INTERNET = (socket.AF_INET, socket.AF_INET6)


def install() -> None:
    """Reject every connection and name lookup that leaves this machine, permanently.

    The rejected call raises `PermissionError`, which names the address. Unix sockets are allowed.
    """
    sys.addaudithook(_refuse_what_leaves)


def _refuse_what_leaves(event: str, arguments: tuple[object, ...]) -> None:
    if not event.startswith("socket."):
        return
    # https://docs.python.org/3/library/audit_events.html
    match event, arguments:
        case (
            "socket.connect" | "socket.sendto" | "socket.sendmsg",
            (socket.SocketType(family=family), (host, *_)),
        ) if family in _INTERNET:
            _check(host)
        case (
            "socket.getaddrinfo" | "socket.gethostbyname" | "socket.gethostbyaddr",
            (host, *_),
        ):
            _check(host)
        case "socket.getnameinfo", ((host, *_),):
            _check(host)


def _check(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name is not None and not (isinstance(name, str) and _is_loopback(name)):
        raise PermissionError(
            f"{name!r} is not on loopback: the embedded AWS sends no request off this machine"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return socket.inet_pton(socket.AF_INET, host)[0] == 127  # noqa: PLR2004 (127.0.0.0/8)
    except OSError:
        return host == "::1"
