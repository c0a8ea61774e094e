import contextlib
import http.client
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws, EmulatorError, PortInUseError

REGION = "us-east-1"
REPOSITORY = Path(__file__).resolve().parents[2]

Make = Callable[..., Any]

# A stand-alone run: one function that tells its process id in a file and then does not return.
RUN = """
import io, json, signal, sys, tempfile, time, zipfile
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
from local.aws import EmbeddedAws

tempfile.tempdir, told = sys.argv[1:]
handler = '''
import os, time
def handler(event, context):
    with open(event + ".part", "w") as told:
        told.write(str(os.getpid()))
    os.rename(event + ".part", event)
    time.sleep(60)
'''
content = io.BytesIO()
with zipfile.ZipFile(content, "w") as archive:
    archive.writestr("app.py", handler)
trust = {"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
trust = json.dumps({"Statement": [{"Effect": "Allow", **trust}]})
with EmbeddedAws() as aws:
    role = aws.client("iam", "us-east-1").create_role(
        RoleName="role", AssumeRolePolicyDocument=trust
    )
    functions = aws.client("lambda", "us-east-1")
    functions.create_function(
        FunctionName="function", Role=role["Role"]["Arn"], Runtime="python3.13",
        Handler="app.handler", Code={"ZipFile": content.getvalue()}, Timeout=60,
    )
    functions.get_waiter("function_active_v2").wait(
        FunctionName="function", WaiterConfig={"Delay": 0.02}
    )
    functions.invoke(FunctionName="function", InvocationType="Event", Payload=json.dumps(told))
    while not Path(told).exists():
        time.sleep(0.01)
    print(aws.pid, Path(told).read_text(), flush=True)
    sys.stdin.readline()
"""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie that nobody reaps any more is dead too.
    stat = Path(f"/proc/{pid}/stat")
    with contextlib.suppress(OSError):
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    return not Path("/proc/self").exists()


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "not within a minute"
        time.sleep(0.01)


@pytest.mark.parametrize("ending", ["return", "SIGINT", "SIGTERM", "SIGKILL"])
def test_nothing_is_left_behind_though_an_invocation_is_in_flight(
    tmp_path: Path, ending: str
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with subprocess.Popen(  # noqa: S603 (this interpreter, the text above)
        [sys.executable, "-c", RUN, str(scratch), str(tmp_path / "told")],
        cwd=REPOSITORY,
        env={},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as run:
        assert run.stdin is not None
        assert run.stdout is not None
        emulator, worker = map(int, run.stdout.readline().split())
        assert _alive(emulator)
        assert _alive(worker)
        assert list(scratch.iterdir())

        if ending == "return":
            run.stdin.write("\n")
            run.stdin.flush()
        else:
            run.send_signal(signal.Signals[ending])
        run.wait(30)

    _wait_until(lambda: not _alive(emulator) and not _alive(worker))
    _wait_until(lambda: not list(scratch.iterdir()))


def test_a_terminated_emulator_ends_its_functions_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with EmbeddedAws() as aws:
        emulator = aws.pid
        os.kill(emulator, signal.SIGTERM)
        _wait_until(lambda: not list(tmp_path.iterdir()))
        _wait_until(lambda: not _alive(emulator))


def test_it_listens_on_loopback_only(aws: EmbeddedAws) -> None:
    with socket.socket() as elsewhere:
        # Another address of this machine; taken if the emulator listened on all of them.
        elsewhere.bind(("127.0.0.2", aws.port))


def test_it_serves_on_the_port_asked_for() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with EmbeddedAws(port=port) as aws:
        assert aws.port == port
        assert aws.client("sts", REGION).get_caller_identity()["Account"] == aws.account_id


def test_a_busy_port_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(PortInUseError, match=rf"^port {port} .* choose another port$"):
            EmbeddedAws(port=port).__enter__()
    assert not list(tmp_path.iterdir())


def test_a_machine_s_usual_limit_of_open_files_is_raised() -> None:
    """Hundreds of execution environments need more than 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, soft), hard))
        with EmbeddedAws() as aws:
            limits = Path(f"/proc/{aws.pid}/limits").read_text(encoding="ascii")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    (line,) = (each for each in limits.splitlines() if each.startswith("Max open files"))
    assert int(line.split()[3]) == min(16_384, hard)


def test_an_emulator_that_dies_at_the_start_tells_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with pytest.raises(EmulatorError, match="ArnParseError"):
        EmbeddedAws(layers=["no ARN"]).__enter__()
    assert not list(tmp_path.iterdir())


def test_an_endpoint_is_known_only_while_it_runs() -> None:
    aws = EmbeddedAws()

    with pytest.raises(RuntimeError, match="not running"):
        _ = aws.endpoint_url
    with pytest.raises(RuntimeError, match="not running"):
        _ = aws.pid


def test_two_runs_at_once_are_two_accounts_apart(aws: EmbeddedAws, unique: str) -> None:
    aws.client("secretsmanager", REGION).create_secret(Name=unique)
    with EmbeddedAws() as other:
        assert other.port != aws.port
        assert other.client("secretsmanager", REGION).list_secrets()["SecretList"] == []
        stranger = other.client_as("sts", REGION, aws.credentials)
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            stranger.get_caller_identity()


def test_nothing_of_the_caller_s_environment_gets_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unusable = tmp_path / "config"
    unusable.write_text("[no configuration")
    hostile = {
        **dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), str(unusable)),
        **dict.fromkeys(("AWS_PROFILE", "AWS_DEFAULT_PROFILE"), "leaked"),
        **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "leaked"),
        **dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"), "leaked"),
        **dict.fromkeys(("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"), "http://192.0.2.1:1"),
        **dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://192.0.2.1:2"),
        **dict.fromkeys(("AWS_CA_BUNDLE", "AWS_DATA_PATH"), "leaked"),
        "AWS_DEFAULTS_MODE": "auto",
        "AWS_MAX_ATTEMPTS": "leaked",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AUTH": "false",
        "GATEWAY_PORT": "1",
        "MINISTACK_ACCOUNT_ID": "999999999999",
        "PYTHONPATH": "leaked",
    }
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)

    with EmbeddedAws() as aws:
        identity = aws.client("sts", REGION).get_caller_identity()
        assert identity["Arn"] == "arn:aws:iam::123456789012:user/admin"
        environment = Path(f"/proc/{aws.pid}/environ").read_text()
        assert "leaked" not in environment
        assert "192.0.2.1" not in environment


def test_a_function_inherits_neither_the_caller_s_environment_nor_the_admin_s_key(
    aws: EmbeddedAws, make_function: Make, invoke: Make
) -> None:
    source = "import os\ndef handler(event, context):\n    return dict(os.environ)\n"

    environment = invoke(make_function(source))

    assert aws.secret_access_key not in environment.values()
    assert aws.access_key_id not in environment.values()
    lambdas_own = {
        *("PATH", "HOME", "TMPDIR", "LANG", "LC_CTYPE", "PWD", "SHLVL", "PYTHONPATH"),
    }
    others = environment.keys() - lambdas_own
    assert not [name for name in others if name.startswith(("EMBEDDED_AWS", "PYTHON"))]
    assert not others & os.environ.keys()


def test_clients_are_made_once_and_shared_between_threads(aws: EmbeddedAws) -> None:
    assert aws.client("sqs", REGION) is aws.client("sqs", REGION)
    assert aws.client("sqs", REGION) is not aws.client("sqs", "eu-west-1")


def _status(aws: EmbeddedAws, method: str, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", aws.port, timeout=60)
    with contextlib.closing(connection):
        connection.request(method, path, body=b"{}", headers=headers)
        with connection.getresponse() as response:
            response.read()
            return response.status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/_ministack/reset"),
        ("POST", "/_ministack/config"),
        ("POST", "/%5Fministack/reset"),
        ("GET", "/_ministack/lambda-code/function"),
        ("GET", "/_localstack/health"),
        ("GET", "/_localstack/init"),
        ("GET", "/_aws/sqs/messages"),
        ("GET", "/_aws/ses/"),
    ],
)
def test_the_emulator_s_own_endpoints_are_closed(aws: EmbeddedAws, method: str, path: str) -> None:
    assert _status(aws, method, path) == 403
    assert _status(aws, method, path, host=f"bucket.s3.localhost:{aws.port}") == 403


def test_the_health_check_is_open(aws: EmbeddedAws) -> None:
    assert _status(aws, "GET", "/_ministack/health") == 200


def test_an_unsigned_request_is_refused(aws: EmbeddedAws) -> None:
    target = {"x-amz-target": "secretsmanager.ListSecrets"}
    kind = {"content-type": "application/x-amz-json-1.1"}

    assert _status(aws, "POST", "/", **target, **kind) in {400, 403}
    assert _status(aws, "GET", "/2015-03-31/functions/") == 403
    query = urllib.parse.urlencode({"Action": "ListUsers", "Version": "2010-05-08"})
    assert _status(aws, "GET", f"/?{query}") == 403


@pytest.mark.parametrize("service", ["sts", "secretsmanager", "lambda", "kms"])
def test_a_request_signed_with_another_secret_is_refused(aws: EmbeddedAws, service: str) -> None:
    forged = aws.client_as(service, REGION, aws.credentials | {"SecretAccessKey": "forged"})
    call = {
        "sts": "get_caller_identity",
        "secretsmanager": "list_secrets",
        "lambda": "list_functions",
        "kms": "list_keys",
    }[service]

    with pytest.raises(ClientError, match="signature"):
        getattr(forged, call)()


@pytest.mark.parametrize(
    ("code", "refused"),
    [
        ("socket.create_connection(('192.0.2.1', 443), 1)", True),
        ("socket.socket().connect(('0.0.0.0', 443))", True),
        ("socket.socket(socket.AF_INET6).connect(('::ffff:192.0.2.1', 443))", True),
        ("_socket.socket(2, 1).connect(('192.0.2.1', 443))", True),
        ("socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('192.0.2.1', 53))", True),
        ("socket.getaddrinfo('127.evil.example', 443)", True),
        ("socket.getaddrinfo(b'example.com', 443)", True),
        ("socket.gethostbyname_ex('example.com')", True),
        ("socket.gethostbyaddr('192.0.2.1')", True),
        ("socket.getnameinfo(('192.0.2.1', 443), 0)", True),
        ("socket.getaddrinfo('localhost', 443)", False),
        ("socket.getaddrinfo('127.1.2.3', 443)", False),
        ("socket.getaddrinfo('::1', 443)", False),
        ("socket.getaddrinfo(None, 443)", False),
        ("socket.socket().connect_ex(('127.0.0.1', 1))", False),
        ("socket.socketpair()[0].sendmsg([b'x'])", False),
    ],
)
def test_the_guard_refuses_what_leaves_this_machine_only(code: str, refused: bool) -> None:  # noqa: FBT001 (a table's column)
    script = f"import _socket, socket\nfrom local import loopback\nloopback.install()\n{code}"
    run = subprocess.run(  # noqa: S603 (this interpreter, the table above)
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )

    assert ("PermissionError" in run.stderr) is refused, run.stderr
    assert ("is not on loopback" in run.stderr) is refused


@pytest.mark.exhaustive
def test_a_connection_stays_open_for_some_idle_seconds(aws: EmbeddedAws) -> None:
    """Hypercorn closes one after five seconds, at a busy moment with a request already in it."""
    connection = http.client.HTTPConnection("127.0.0.1", aws.port, timeout=60)
    for seconds in (0, 7):
        time.sleep(seconds)
        connection.request("GET", "/_ministack/health")
        connection.getresponse().read()  # or RemoteDisconnected
    connection.close()
