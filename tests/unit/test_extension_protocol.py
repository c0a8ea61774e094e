"""How the extension reads a request and writes an answer, without a socket or a service."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from local.extension.server import (
    go_json,
    parameter_document,
    parameter_request,
    parse_query,
    read_request,
    secret_document,
    secret_request,
)


def head(text: str) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(text.encode()))


@pytest.mark.parametrize(
    ("raw", "query"),
    [
        ("secretId=app%2Fdb%2B%3D%40", {"secretId": "app/db+=@"}),
        ("secretId=app/db@x:1", {"secretId": "app/db@x:1"}),
        ("secretId=a+b", {"secretId": "a b"}),
        ("secretId=%C3%A9", {"secretId": "é"}),
        ("name=a&name=b", {"name": "a"}),
        ("name=a%zz&name=b", {"name": "b"}),
        ("name=a;b&name=c", {"name": "c"}),
        ("&&name=a=b&", {"name": "a=b"}),
        ("name", {"name": ""}),
        ("", {}),
    ],
)
def test_a_query_is_decoded_as_go_decodes_it(raw: str, query: dict[str, str]) -> None:
    assert parse_query(raw) == query


def test_a_secret_is_asked_for_by_id_version_and_stage() -> None:
    query = {"secretId": "s", "versionId": "v", "versionStage": "AWSPREVIOUS", "other": "x"}
    expected = {"SecretId": "s", "VersionId": "v", "VersionStage": "AWSPREVIOUS"}
    assert secret_request(query) == expected
    assert secret_request({"secretId": "s", "versionId": ""}) == {"SecretId": "s"}


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("name=/a", "/a"),
        ("name=/a&version=3", "/a:3"),
        ("name=/a&label=Dev", "/a:Dev"),
        ("version=3&name=/a&label=Dev", "/a:3"),
        ("label=Dev&name=/a&version=3", "/a:Dev"),
        ("name=/a&version=&label=Dev", "/a:Dev"),
    ],
)
def test_the_first_of_version_and_label_selects_the_parameter(raw: str, name: str) -> None:
    assert parameter_request(parse_query(raw))["Name"] == name


@pytest.mark.parametrize(
    ("text", "decrypted"),
    [("true", True), ("True", True), ("1", True), ("false", False), ("", False), ("yes", False)],
)
def test_a_parameter_is_decrypted_only_on_request(text: str, *, decrypted: bool) -> None:
    request = parameter_request({"name": "/a", "withDecryption": text})
    assert request == {"Name": "/a", "WithDecryption": decrypted}
    assert not parameter_request({"name": "/a"})["WithDecryption"]


@pytest.mark.parametrize("raw", ["", "secretId=", "secretid=x", "name="])
def test_a_query_that_names_nothing_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match="no secretId"):
        secret_request(parse_query(raw))
    with pytest.raises(ValueError, match="no name"):
        parameter_request(parse_query(raw))


def test_json_is_compact_and_escaped_as_go_escapes_it() -> None:
    document = {"a": None, "b": ["<&>", "\u2028\u2029", 'é"\\/\n\x01\x7f😀']}
    assert go_json(document).decode() == (
        r'{"a":null,"b":["\u003c\u0026\u003e","\u2028\u2029",'
        r'"é\"\\/\n\u0001' + '\x7f😀"]}'
    )
    assert json.loads(go_json(document)) == document


def test_half_a_surrogate_pair_is_answered_as_a_replacement_character() -> None:
    assert go_json("a\ud800b").decode() == '"a\ufffdb"'


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2022, 11, 16, 8, 22, 40, 499_000, UTC), "2022-11-16T08:22:40.499Z"),
        (datetime(2022, 11, 16, 8, 22, 40, 0, UTC), "2022-11-16T08:22:40.000Z"),
        (datetime(2022, 11, 16, 8, 22, 40, 999_900, UTC), "2022-11-16T08:22:41.000Z"),
        (
            datetime(2022, 11, 16, 10, 22, 40, 7_000, timezone(timedelta(hours=2))),
            "2022-11-16T08:22:40.007Z",
        ),
    ],
)
def test_a_date_is_given_in_utc_with_milliseconds(moment: datetime, text: str) -> None:
    assert secret_document({"CreatedDate": moment})["CreatedDate"] == text


def test_a_secret_has_all_its_keys_in_order_and_null_for_the_absent() -> None:
    assert go_json(secret_document({})) == (
        b'{"ARN":null,"CreatedDate":null,"Name":null,"SecretBinary":null,"SecretString":null,'
        b'"VersionId":null,"VersionStages":null,"ResultMetadata":{}}'
    )


@pytest.mark.parametrize(
    ("binary", "text"), [(b"", ""), (b"\xff", "/w=="), (b"\xfb\xef", "++8="), (b"abc", "YWJj")]
)
def test_a_binary_secret_is_padded_base64(binary: bytes, text: str) -> None:
    assert secret_document({"SecretBinary": binary})["SecretBinary"] == text


def test_a_parameter_has_all_its_keys_in_order_and_null_for_the_absent() -> None:
    assert go_json(parameter_document({"Parameter": {}})) == (
        b'{"Parameter":{"ARN":null,"DataType":null,"LastModifiedDate":null,"Name":null,'
        b'"Selector":null,"SourceResult":null,"Type":null,"Value":null,"Version":null},'
        b'"ResultMetadata":{}}'
    )


def test_a_request_is_read_with_its_headers_in_any_case() -> None:
    request = read_request(head("GET /a?b=/c HTTP/1.1\r\nHOST: x\r\nx-AWS-tOken:  t \r\n\r\n"))
    assert request is not None
    assert request.method == "GET"
    assert request.target == "/a?b=/c"
    assert request.headers == {"host": "x", "x-aws-token": "t"}


@pytest.mark.parametrize(
    ("text", "keep_alive"),
    [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", True),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", False),
        ("GET / HTTP/1.0\r\n\r\n", False),
        ("GET / HTTP/1.0\nConnection: Keep-Alive\n\n", True),
    ],
)
def test_a_connection_is_kept_as_its_protocol_wants(text: str, *, keep_alive: bool) -> None:
    request = read_request(head(text))
    assert request is not None
    assert request.keep_alive is keep_alive


def test_the_body_of_a_request_is_skipped() -> None:
    stream = head("POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nabGET /b HTTP/1.0\r\n\r\n")
    assert [request.target for request in iter(lambda: read_request(stream), None)] == ["/", "/b"]


@pytest.mark.parametrize(
    "text",
    [
        "\r\n",
        "GET /\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: " + "x" * (1 << 20) + "\r\n\r\n",
    ],
)
def test_what_go_would_not_read_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_request(head(text))
