"""The emulator's process, started by `local.aws`: `python -m local.emulator`.

It serves on the listener it was handed and ends, with everything it started, when the process that
started it does.
"""

import asyncio
import contextlib
import json
import logging
import os
import resource
import shutil
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import ministack.app
from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.core.responses import get_account_id

from local import loopback
from local.emulator import PATCHED_BY, notices, outage
from local.emulator.core import patching
from local.emulator.iam import access
from local.emulator.lambda_ import code, layers
from local.emulator.runtimes import environment, interpreters, namespaces, networks
from local.emulator.secretsmanager import rotation

HEALTH = "/_ministack/health"
OPEN_FILES = 16_384
# ministack's own endpoints: they reset, reconfigure and read everything without authentication.
CLOSED = ("/_ministack", "/_localstack", "/_aws")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """Pass on to ministack what AWS would answer too, and the health check."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    elif scope["type"] == "http" and _is_closed(scope):
        await send({"type": "http.response.start", "status": 403, "headers": []})
        await send({"type": "http.response.body", "body": b""})
    elif scope["type"] == "http" and (how := outage.how_to_respond(scope)):
        await outage.respond(how, scope, receive)
    else:
        await ministack.app.app(scope, receive, send)


def _is_closed(scope: Message) -> bool:
    path, query = scope["path"], scope["query_string"].decode("latin-1")
    return path.startswith(CLOSED) and path != HEALTH and not code.is_presigned(path, query)


def end(directory: str) -> None:
    """End this process and all that it started, and leave no file."""
    try:
        environment.close_all()  # first, or a function could go on writing files
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        # This process leads its group: local.aws sees to it.
        os.killpg(os.getpid(), signal.SIGKILL)


def obey_parent(answers: int, directory: str) -> None:
    """Do what each line of standard input says, and end with it.

    The parent holds it open as long as it lives, and is answered with a line of JSON.
    """
    commands: dict[str, Callable[..., object]] = {
        "open_account": access.seed_admin,
        "start_outage": outage.start_outage,
        "end_outage": outage.end_outage,
        "have_namespaces": networks.have_namespaces,
        "leave_pending_after_failed_tests": rotation.leave_pending_after_failed_tests,
        "interpreter_version": interpreters.version,
        "missing_interpreter": interpreters.missing,
        "notices": notices.given,
        "reach": networks.reach,
    }
    try:
        for line in sys.stdin.buffer:
            name, *arguments = json.loads(line)
            answer = commands[name](*arguments)
            os.write(answers, json.dumps(answer).encode() + b"\n")
    finally:
        end(directory)


def raise_file_limit() -> None:
    """Let this process open more files than the 1024 that many machines allow at first.

    Each execution environment needs a few.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    with contextlib.suppress(OSError, ValueError):  # the system has a lower limit yet
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def main() -> None:
    """Patch ministack, seed the account that the environment describes, and serve it."""
    # Taken out of the environment, because ministack reads it.
    settings = {
        name: os.environ.pop(f"EMBEDDED_AWS_{name}")
        for name in (
            "ACCESS_KEY_ID",
            "SECRET_ACCESS_KEY",
            "ANSWERS",
            "DIRECTORY",
            "LAYERS",
            "LISTENER",
            "NAMESPACES",
            "PORTS",
        )
    }
    raise_file_limit()
    if settings["NAMESPACES"] != "off":
        namespaces.prepare()
    networks.set_up(namespaces=settings["NAMESPACES"] != "off" and namespaces.are_available())
    for port in json.loads(settings["PORTS"]):
        networks.reach(port)
    for module in PATCHED_BY:
        patching.apply(f"local.emulator.{module}")
    loopback.install()
    logging.getLogger().addHandler(notices.ErrorHandler())
    directory = settings["DIRECTORY"]
    obey = [int(settings["ANSWERS"]), directory]
    threading.Thread(target=obey_parent, args=obey, daemon=True).start()
    # Not in the handler itself: this thread may hold a lock that the end needs.
    signal.signal(
        signal.SIGTERM, lambda *_: threading.Thread(target=end, args=[directory]).start()
    )
    key = settings["ACCESS_KEY_ID"], settings["SECRET_ACCESS_KEY"]
    access.seed_admin(get_account_id(), *key)
    if arns := json.loads(settings["LAYERS"]):
        from local.extension.layer import layer_zip  # noqa: PLC0415 (only a run with layers needs it)

        layers.publish_layers(arns, layer_zip())

    config = Config()
    config.bind = [f"fd://{settings['LISTENER']}"]
    config.loglevel = "WARNING"
    # On a busy machine, an idle connection may have a request when it is closed. The client then
    # repeats it, and what it creates exists. Five seconds, hypercorn's own limit, are too few; but
    # nobody else closes the connections of functions that were killed.
    config.keep_alive_timeout = 15
    # A trigger that never comes: without one, hypercorn takes the signals for itself.
    asyncio.run(serve(application, config, shutdown_trigger=asyncio.Event().wait))


main()
