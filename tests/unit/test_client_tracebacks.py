"""What a traceback with local variables shows of a failed read: no value, and no session token.

Sentry sends such tracebacks by default.
"""

import copy
import json
import pickle
from collections.abc import Callable, Iterator
from itertools import product
from pprint import pformat

import pytest

from secret_client import SecretClient, SecretError, Unavailable
from tests import scripted
from tests.scripted import CANARY, TOKEN, Answer, Aws, Server
from tests.unit.interruptions import shown

BODY = scripted.secret_body("s", SecretString=CANARY)
INCOMPLETE = scripted.http(200, json.dumps({"Name": "s", "SecretString": CANARY}).encode())
NOT_FOUND = json.dumps({"__type": "ResourceNotFoundException", "message": "no"}).encode()


def raw(answer: bytes) -> Answer:
    return lambda _, connection: connection.sendall(answer)


EXTENSION = {
    "broken off": scripted.cut(BODY),
    "not JSON": scripted.http(200, BODY[:-1]),
    "incomplete": INCOMPLETE,
    "not HTTP": raw(CANARY.encode()),
    "chunks": raw(b"HTTP/1.1 200 OK\r\nX: chunked\r\n\r\n99\r\n" + CANARY.encode()),
    "an error with a value": scripted.http(500, BODY),
    "a cause": scripted.http(400, NOT_FOUND),
    "a refused token": scripted.http(401, scripted.BAD_TOKEN),
}
SDK = {
    "denied": scripted.aws_error("AccessDeniedException", "no"),
    "incomplete": INCOMPLETE,
}


def failure(read: Callable[[str], object], name: str = "s") -> SecretError:
    """Return the error of a read, without this frame, whose locals hold it."""
    with pytest.raises(SecretError) as raised:
        read(name)
    trace = raised.value.__traceback__
    assert trace is not None
    return raised.value.with_traceback(trace.tb_next)


@pytest.mark.parametrize(("fault", "sdk"), list(product(EXTENSION, SDK)))
def test_no_frame_of_a_failed_read_shows_a_value_or_the_token(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws, fault: str, sdk: str
) -> None:
    extension.script(EXTENSION[fault])
    aws.script(SDK[sdk])
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", f"other {TOKEN}")
    client = SecretClient(make_client=aws.client)
    for _ in range(2):  # by the short way, and by the long one
        error = failure(client.get_secret)
        text = shown(error)
        assert "self = <secret_client" in text
        assert CANARY not in text
        assert TOKEN not in text
        assert TOKEN not in scripted.told(error)


@pytest.mark.parametrize("fault", ["a cause", "a refused token"])
def test_no_frame_shows_the_token_that_was_accepted_instead(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws, fault: str
) -> None:
    other = f"other {TOKEN}"

    def answer(request: scripted.Request, connection: object) -> None:
        token = request.header("X-Aws-Parameters-Secrets-Token")
        then = EXTENSION[fault if token == other else "a refused token"]
        then(request, connection)  # type: ignore[arg-type]

    extension.script(answer)
    aws.script(SDK["denied"])
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", other)
    assert TOKEN not in shown(failure(SecretClient(make_client=aws.client).get_secret))


def test_a_parameter_that_cannot_be_read_is_in_no_frame(extension: Server, aws: Aws) -> None:
    incomplete = scripted.http(200, json.dumps({"Parameter": {"Value": CANARY}}).encode())
    extension.script(incomplete)
    aws.script(incomplete)
    error = failure(SecretClient(make_client=aws.client).get_parameter, "/p")
    assert isinstance(error, Unavailable)
    assert CANARY not in shown(error)


@pytest.mark.parametrize("token", [f"{TOKEN}€", TOKEN * 20_000, f"{TOKEN}\r\nX: y"])
def test_an_odd_token_is_in_no_error(
    monkeypatch: pytest.MonkeyPatch, extension: Server, aws: Aws, token: str
) -> None:
    extension.script(scripted.http(401, scripted.BAD_TOKEN))
    aws.script(SDK["denied"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    error = failure(SecretClient(make_client=aws.client).get_secret)
    assert TOKEN not in scripted.told(error)
    assert TOKEN not in shown(error)


def parts(thing: object, seen: set[int]) -> Iterator[object]:
    """Yield an object and whatever it holds."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    yield thing
    inner = [*vars(thing).values()] if hasattr(thing, "__dict__") else []
    if isinstance(thing, dict):
        inner += [*thing, *thing.values()]
    for each in inner:
        yield from parts(each, seen)


def test_no_attribute_of_a_client_shows_a_value(extension: Server, aws: Aws) -> None:
    client = SecretClient(make_client=aws.client)
    client.values_read()
    client.get_secret("s")
    client.get_secret("s", refresh=True)
    assert extension.requests
    found = list(parts(client, set()))
    assert len(found) > 20
    for each in found:
        assert CANARY not in repr(each)
    assert CANARY not in pformat(vars(client))
    assert CANARY not in repr(copy.copy(client))
    for write in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot pickle"):
            write(SecretClient())
