"""What holds for every name, value, cache time and clock."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from secret_client import SecretClient, SecretError
from secret_client import extension as extension_module
from tests import scripted
from tests.scripted import Server
from tests.unit.client_support import follow

ANY = st.text(max_size=80)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ANY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY, inner, max_size=3),
    max_leaves=8,
)


@given(name=ANY, version_id=st.none() | ANY, version_stage=st.none() | ANY)
def test_percent_decoding_what_was_sent_gives_the_name(
    served: Server, name: str, version_id: str | None, version_stage: str | None
) -> None:
    served.script(scripted.secret("x"))
    value = SecretClient().get_secret(name, version_id=version_id, version_stage=version_stage)
    asked = {"secretId": name, "versionId": version_id, "versionStage": version_stage}
    (request,) = served.requests
    assert request.query == {key: part for key, part in asked.items() if part is not None}
    assert request.target.isascii()
    assert request.target.isprintable()
    assert (value.name, value.text) == (name, "x")


@given(
    name=ANY,
    version=st.none() | st.integers(1, 10**9),
    label=st.none() | ANY,
    decrypt=st.booleans(),
)
def test_a_parameter_is_asked_for_by_what_selects_it(
    served: Server, name: str, version: int | None, label: str | None, *, decrypt: bool
) -> None:
    served.script(scripted.parameter("x"))
    assume(version is None or label is None)
    SecretClient().get_parameter(name, version=version, label=label, decrypt=decrypt)
    asked = {
        "name": name,
        "version": None if version is None else str(version),
        "label": label,
        "withDecryption": "true" if decrypt else None,
    }
    assert served.requests[0].query == {
        key: part for key, part in asked.items() if part is not None
    }


@given(text=st.text(max_size=3000), size=st.none() | st.integers(1, 200))
def test_any_text_comes_back_as_it_was(served: Server, text: str, size: int | None) -> None:
    body = scripted.secret_body("s", SecretString=text)
    served.script(scripted.http(200, body) if size is None else scripted.chunked(body, size))
    value = SecretClient().get_secret("s")
    assert (value.text, value.binary) == (text, text.encode())


@given(value=st.binary(max_size=3000))
def test_any_bytes_come_back_as_they_were(served: Server, value: bytes) -> None:
    served.script(scripted.secret(None, SecretBinary=scripted.encoded(value)))
    assert SecretClient().get_secret("s").binary == value


@given(value=st.dictionaries(ANY, JSON, max_size=4))
def test_any_json_object_comes_back_equal(served: Server, value: dict[str, Any]) -> None:
    served.script(scripted.secret(json.dumps(value)))
    assert SecretClient().get_secret("s").json == frozen(value)


def frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(frozen, value))
    if isinstance(value, dict):
        return {key: frozen(inner) for key, inner in value.items()}
    return value


class Down:
    """An SDK whose region does not answer."""

    def get_secret_value(self, **_: object) -> None:
        raise ConnectionError("down")


@given(
    cache_seconds=st.integers(0, 600),
    steps=st.lists(st.tuples(st.floats(0, 300), st.booleans()), max_size=15),
)
def test_no_value_is_older_than_the_cache_time_and_none_is_asked_for_while_fresh(
    served: Server, cache_seconds: int, steps: list[tuple[float, bool]]
) -> None:
    clock = scripted.Clock()

    def works(request: scripted.Request, connection: Any) -> None:
        scripted.secret(repr(clock()))(request, connection)

    client = SecretClient(cache_seconds=cache_seconds, make_client=lambda *_: Down())
    read_at: float | None = None
    failed_at = -1.0
    with pytest.MonkeyPatch.context() as patch:
        follow(patch, clock)
        # An expired value's second is short on a busy machine.
        patch.setattr(extension_module, "_remaining", lambda _: 60.0)
        for seconds, healthy in steps:
            clock.move(seconds)
            served.script(works if healthy else scripted.http(400, scripted.GENERIC))
            try:
                text = client.get_secret("s").text
            except SecretError:
                text = None
            asked = bool(served.requests)
            # The client's own arithmetic, so that no rounding decides.
            fresh = read_at is not None and read_at + cache_seconds * (2 / 3) > clock()
            within = read_at is not None and read_at + cache_seconds > clock()
            paused = within and clock() < failed_at + 1
            assert asked is not (fresh or paused)
            if asked:
                read_at, failed_at = (clock(), -1.0) if healthy else (read_at, clock())
            if text is None:
                assert not healthy
                assert not within
            else:
                assert float(text) == read_at
                assert within or (asked and healthy)
