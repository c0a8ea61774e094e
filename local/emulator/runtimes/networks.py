"""The networks of the execution environments, and the ports of this machine that they reach.

In a namespace there is nothing of this machine's loopback. What functions must reach, the embedded
AWS first of all, listens there too: the emulator accepts those connections and passes them on.
"""

import socket
import threading

from local.emulator import notices
from local.emulator.runtimes.forwarding import Forwarding
from local.emulator.runtimes.namespaces import MachineNetwork, Namespace, Network

HOST = "127.0.0.1"

_ports: list[int] = []
_forwardings: dict[Namespace, list[Forwarding]] = {}
_lock = threading.Lock()
_has_namespaces = False


def set_up(*, namespaces: bool) -> None:
    """Set whether environments have namespaces of their own."""
    global _has_namespaces  # noqa: PLW0603 (a fact of this process)
    _has_namespaces = namespaces
    if not namespaces:
        notices.give(
            "functions share this machine's network: one execution environment at a time has port"
            " 2773, and Node functions and C libraries can leave the machine"
        )


def have_namespaces() -> bool:
    """Return whether each environment has a network of its own."""
    return _has_namespaces


def reach(port: int) -> None:
    """Let every execution environment, running or to come, reach a port of this machine."""
    with _lock:
        if port not in _ports:
            _ports.append(port)
            for namespace in _forwardings:
                _forward(namespace, port)


def open_network() -> Network:
    """Return the network for a new execution environment."""
    if not _has_namespaces:
        return MachineNetwork()
    namespace = Namespace()
    with _lock:
        _forwardings[namespace] = []
        for port in _ports:
            _forward(namespace, port)
    return namespace


def close_network(network: Network) -> None:
    """Close the network of an execution environment that has ended."""
    if isinstance(network, Namespace):
        with _lock:
            for forwarding in _forwardings.pop(network):
                forwarding.close()
    network.close()


def _forward(namespace: Namespace, port: int) -> None:
    address = HOST, port
    listener = namespace.run(lambda: socket.create_server(address, backlog=socket.SOMAXCONN))
    _forwardings[namespace].append(Forwarding(listener, address))
