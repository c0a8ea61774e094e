"""The extension's process: HTTP on loopback in front of Secrets Manager and Parameter Store.

Started by `launcher` with two descriptors: the listening socket, and the read end of the pipe that
shows the lifecycle of the function's process. Exits with that process.

AWS's extension is closed source, written in Go with the AWS SDK for Go v2. Statuses, bodies and
the format of a response are as observed. The order of the checks is not known; this server checks
route, method, readiness, token, parameters.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import select
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from threading import Semaphore, Thread
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus

from .cache import Cache
from .settings import LOG_LEVELS, Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from datetime import datetime
    from io import BufferedReader

TOKEN_HEADER = "x-aws-parameters-secrets-token"  # noqa: S105 (the header's name, not a token)


class Log:
    """Writes to the function's log in the extension's format, one write per line."""

    def __init__(self, level: str) -> None:
        self._levels = LOG_LEVELS[LOG_LEVELS.index(level) : -1]

    def __call__(self, level: str, message: str) -> None:
        """Write `message` if `level` is enabled, escaped so that it stays on one line."""
        if level in self._levels:
            stamp = time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime())
            text = message.encode("unicode_escape").decode("ascii")
            line = f"[AWS Parameters and Secrets Lambda Extension] {stamp} {level} {text}\n"
            os.write(sys.stderr.fileno(), line.encode())


class FunctionProcess:
    """The function's process, as the lifecycle pipe shows it."""

    def __init__(self, lifecycle: int) -> None:
        self._lifecycle = lifecycle

    def was_invoked(self) -> bool:
        """Whether the first INVOKE has arrived. The byte in the pipe stays unread."""
        begin = select.poll()  # `select.select` takes no descriptor above 1023
        begin.register(self._lifecycle, select.POLLIN)
        return bool(begin.poll(0))

    def wait_for_end(self) -> None:
        """Return when the process has exited."""
        end = select.poll()
        end.register(self._lifecycle, 0)  # a hang-up is always reported
        end.poll()


# --- responses of a service, as JSON in the format of Go's encoder -------------------------------

_GO_ESCAPES = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


def go_json(document: object) -> bytes:
    """Return `document` as compact UTF-8 JSON, with the escapes of Go's `encoding/json`."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    # Go replaces a lone surrogate, which UTF-8 cannot encode, by U+FFFD.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.translate(_GO_ESCAPES).encode()


def _timestamp(moment: datetime | None) -> str | None:
    """Return RFC 3339 in UTC with milliseconds."""
    if moment is None:
        return None
    milliseconds = round(moment.timestamp() * 1000)
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{seconds}.{milliseconds % 1000:03d}Z"


def secret_document(response: Mapping[str, Any]) -> dict[str, object]:
    """Convert the response of GetSecretValue to the extension's; missing fields are None."""
    binary = response.get("SecretBinary")
    return {
        "ARN": response.get("ARN"),
        "CreatedDate": _timestamp(response.get("CreatedDate")),
        "Name": response.get("Name"),
        "SecretBinary": None if binary is None else base64.b64encode(binary).decode(),
        "SecretString": response.get("SecretString"),
        "VersionId": response.get("VersionId"),
        "VersionStages": response.get("VersionStages"),
        "ResultMetadata": {},
    }


def parameter_document(response: Mapping[str, Any]) -> dict[str, object]:
    """Convert the response of GetParameter to the extension's; missing fields are None."""
    parameter = response["Parameter"]
    return {
        "Parameter": {
            "ARN": parameter.get("ARN"),
            "DataType": parameter.get("DataType"),
            "LastModifiedDate": _timestamp(parameter.get("LastModifiedDate")),
            "Name": parameter.get("Name"),
            "Selector": parameter.get("Selector"),
            "SourceResult": parameter.get("SourceResult"),
            "Type": parameter.get("Type"),
            "Value": parameter.get("Value"),
            "Version": parameter.get("Version"),
        },
        "ResultMetadata": {},
    }


# --- requests ------------------------------------------------------------------------------------

_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")

# What Go's strconv.ParseBool reads as true; withDecryption is documented as true or false.
_TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))


def parse_query(raw: str) -> dict[str, str]:
    """Decode a query as Go's `url.ParseQuery`: in order, the first of equal names wins.

    `+` is a space; a pair with a semicolon or an invalid escape is skipped.
    """
    query: dict[str, str] = {}
    for pair in raw.split("&"):
        if pair and ";" not in pair and not _BROKEN_ESCAPE.search(pair):
            name, _, value = pair.partition("=")
            query.setdefault(unquote_plus(name), unquote_plus(value))
    return query


def secret_request(query: Mapping[str, str]) -> dict[str, object]:
    """Return the arguments of GetSecretValue. ValueError without a secretId."""
    if not query.get("secretId"):
        raise ValueError("the query has no secretId")
    names = {"secretId": "SecretId", "versionId": "VersionId", "versionStage": "VersionStage"}
    return {theirs: query[ours] for ours, theirs in names.items() if query.get(ours)}


def parameter_request(query: Mapping[str, str]) -> dict[str, object]:
    """Return the arguments of GetParameter. ValueError without a name."""
    if not query.get("name"):
        raise ValueError("the query has no name")
    selectors = [query[key] for key in query if key in {"version", "label"} and query[key]]
    return {
        "Name": ":".join([query["name"], *selectors[:1]]),
        "WithDecryption": query.get("withDecryption") in _TRUE,
    }


# --- the services behind it ----------------------------------------------------------------------


class Service:
    """One AWS service, called over at most `limit` connections at a time."""

    def __init__(
        self, client: Future[Any], operation: str, timeout_millis: int, limit: int
    ) -> None:
        self._client = client
        self._operation = operation
        self._timeout_millis = timeout_millis
        self._connections = ThreadPoolExecutor(limit)

    def fetch(self, arguments: Mapping[str, object]) -> Mapping[str, Any]:
        """Call the operation; the timeout covers the wait for a connection and the call.

        Raises TimeoutError, or what botocore raises.
        """
        operation = getattr(self._client.result(), self._operation)
        call: Future[Mapping[str, Any]] = self._connections.submit(operation, **arguments)
        try:
            return call.result(self._timeout_millis / 1000 or None)
        except TimeoutError as error:
            call.cancel()
            raise TimeoutError(f"no answer within {self._timeout_millis} ms") from error


def _create_client(service: str, timeout_millis: int, max_connections: int) -> object:
    """Create a client with the credentials, region and endpoint of the function's environment."""
    # Imported here, in a background thread, because botocore loads slowly.
    import botocore.config  # noqa: PLC0415 (slow)
    import botocore.session  # noqa: PLC0415 (slow)

    timeout_seconds = timeout_millis / 1000 or None
    return botocore.session.get_session().create_client(
        service,
        region_name=os.environ.get("AWS_REGION"),  # botocore reads only AWS_DEFAULT_REGION
        config=botocore.config.Config(
            connect_timeout=timeout_seconds,
            read_timeout=timeout_seconds,
            max_pool_connections=max_connections,
            parameter_validation=False,  # the service decides whether a request is valid
            retries={"mode": "standard"},
        ),
    )


# --- responses -----------------------------------------------------------------------------------


class Answer(NamedTuple):
    """One HTTP response, without what depends on the connection."""

    status: HTTPStatus
    body: bytes
    headers: bytes = b"Content-Type: text/plain\r\n"


NOT_READY = Answer(HTTPStatus.BAD_REQUEST, b"not ready to serve traffic, please wait")
FAILED = Answer(HTTPStatus.BAD_REQUEST, b"an unexpected error occurred while executing request")
UNAUTHORIZED = Answer(
    HTTPStatus.UNAUTHORIZED,
    b"bad session token or header key",
    b"Content-Type: text/plain\r\nX-Amzn-Errortype: AccessDeniedException\r\n",
)
NOT_FOUND = Answer(HTTPStatus.NOT_FOUND, b"404 page not found")
NOT_ALLOWED = Answer(
    HTTPStatus.METHOD_NOT_ALLOWED,
    b"405 method not allowed",
    b"Content-Type: text/plain\r\nAllow: GET\r\n",
)
MALFORMED = Answer(HTTPStatus.BAD_REQUEST, b"400 Bad Request")


class Route(NamedTuple):
    """How one path is answered."""

    service: Service
    request: Callable[[Mapping[str, str]], dict[str, object]]
    document: Callable[[Mapping[str, Any]], dict[str, object]]
    ttl_seconds: int


class Extension:
    """Answers requests, independently of the transport."""

    def __init__(
        self, settings: Settings, session_token: str, was_invoked: Callable[[], bool], log: Log
    ) -> None:
        self._token = session_token.encode()
        self._was_invoked = was_invoked
        self._log = log
        self._cache = Cache(settings.cache_size)
        loader = ThreadPoolExecutor(1)

        def service(name: str, operation: str, timeout_millis: int) -> Service:
            limit = settings.max_connections
            client = loader.submit(_create_client, name, timeout_millis, limit)
            return Service(client, operation, timeout_millis, limit)

        secrets = Route(
            service("secretsmanager", "get_secret_value", settings.secrets_manager_timeout_millis),
            secret_request,
            secret_document,
            settings.secrets_manager_ttl_seconds,
        )
        parameters = Route(
            service("ssm", "get_parameter", settings.ssm_parameter_store_timeout_millis),
            parameter_request,
            parameter_document,
            settings.ssm_parameter_store_ttl_seconds,
        )
        self._routes = {
            "/secretsmanager/get": secrets,
            "/systemsmanager/parameters/get": parameters,
            "/systemsmanager/parameters/get/": parameters,
        }

    def answer(self, method: str, target: str, token: str) -> Answer:
        """Answer one request. Never raises."""
        path, _, query = target.partition("?")
        route = self._routes.get(path)
        if route is None:
            return NOT_FOUND
        if method != "GET":
            return NOT_ALLOWED
        if not self._was_invoked():
            return NOT_READY
        if not self._token or not hmac.compare_digest(token.encode(), self._token):
            return UNAUTHORIZED
        try:
            body = self._lookup(route, route.request(parse_query(query)))
        except Exception as error:  # noqa: BLE001 (clients get this response whatever the cause is)
            self._log("ERROR", f"{path}: {type(error).__name__}: {error}")
            return FAILED
        return Answer(HTTPStatus.OK, body, b"Content-Type: application/json\r\n")

    def _lookup(self, route: Route, arguments: dict[str, object]) -> bytes:
        key = route.document, *arguments.items()
        body = self._cache.get(key)
        self._log("DEBUG", f"cache {'miss' if body is None else 'hit'}")
        if body is None:
            body = go_json(route.document(route.service.fetch(arguments)))
            self._cache.put(key, body, route.ttl_seconds)
        return body


# --- HTTP ----------------------------------------------------------------------------------------

# Go's http.DefaultMaxHeaderBytes, for the request line and the headers together.
_MAX_HEAD_BYTES = 1 << 20
# How much of an unread body Go's server skips before it closes the connection.
_MAX_BODY_BYTES = 256 << 10


class RequestHead(NamedTuple):
    """The head of one request; header names are in lower case."""

    method: str
    target: str
    version: str
    headers: dict[str, str]

    @property
    def keep_alive(self) -> bool:
        """Whether the client keeps the connection open."""
        connection = self.headers.get("connection", "").lower()
        return connection == "keep-alive" if self.version == "HTTP/1.0" else connection != "close"


def read_request(stream: BufferedReader) -> RequestHead | None:
    """Read the next request and skip its body; None at the end of the connection.

    Raises ValueError for what Go's server answers with 400, such as HTTP/1.1 without Host.
    """
    lines: list[str] = []
    room = _MAX_HEAD_BYTES
    while (line := stream.readline(room)) not in {b"\r\n", b"\n"}:
        if not line and not lines:
            return None
        if not line.endswith(b"\n"):
            raise ValueError("the head ends early or is too long")
        room -= len(line)
        lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
    method, target, version = "".join(lines[:1]).split(" ")
    headers: dict[str, str] = {}
    for text in lines[1:]:
        name, colon, value = text.partition(":")
        if not colon or not name or name != name.strip():
            raise ValueError("not a header")
        headers.setdefault(name.lower(), value.strip())
    if version not in {"HTTP/1.1", "HTTP/1.0"}:
        raise ValueError("not HTTP/1")
    if version == "HTTP/1.1" and "host" not in headers:
        raise ValueError("no Host")
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not length.isdecimal() or int(length) > _MAX_BODY_BYTES:
        raise ValueError("a body that cannot be skipped")
    stream.read(int(length))
    return RequestHead(method, target, version, headers)


def serve_connection(connection: socket.socket, extension: Extension) -> None:
    """Answer the requests of one client until either side closes the connection."""
    # A client may disconnect before it has its response.
    with connection, connection.makefile("rb") as stream, suppress(ConnectionError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keep_alive = True
        while keep_alive:
            try:
                request = read_request(stream)
            except ValueError:
                connection.sendall(_response(MALFORMED, "HTTP/1.1", keep_alive=False))
                return
            if request is None:
                return
            keep_alive = request.keep_alive
            token = request.headers.get(TOKEN_HEADER, "")
            answer = extension.answer(request.method, request.target, token)
            if request.method == "HEAD":
                answer = answer._replace(body=b"")
            connection.sendall(_response(answer, request.version, keep_alive=keep_alive))


def _response(answer: Answer, version: str, *, keep_alive: bool) -> bytes:
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
    head = (
        f"{version} {answer.status.value} {answer.status.phrase}\r\n"
        f"Date: {date}\r\n"
        f"Content-Length: {len(answer.body)}\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n"
    )
    return head.encode() + answer.headers + b"\r\n" + answer.body


def accept_clients(listener: socket.socket, extension: Extension, idle: Semaphore) -> None:
    """Serve one client after another, forever; `idle` counts the other waiting threads.

    The thread that accepts a client serves it, so that no client waits for a thread to start.
    """
    while True:
        connection, _ = listener.accept()
        if not idle.acquire(blocking=False):
            _start_accepting(listener, extension, idle)
        serve_connection(connection, extension)
        idle.release()


def _start_accepting(listener: socket.socket, extension: Extension, idle: Semaphore) -> None:
    Thread(target=accept_clients, args=(listener, extension, idle), daemon=True).start()


def main() -> None:
    """Serve on the inherited socket until the function's process exits; see `launcher`."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # the emulator handles Ctrl-C and stops this process
    listener = socket.socket(fileno=int(sys.argv[1]))
    function = FunctionProcess(lifecycle=int(sys.argv[2]))
    settings = read_settings(os.environ)
    log = Log(settings.log_level)
    for warning in settings.warnings:
        log("WARN", warning)
    token = os.environ.get("AWS_SESSION_TOKEN", "")
    extension = Extension(settings, token, function.was_invoked, log)
    log("INFO", f"Serving on port {listener.getsockname()[1]}")
    _start_accepting(listener, extension, Semaphore(0))
    function.wait_for_end()
    os._exit(0)  # abandons the calls to AWS that are still running
