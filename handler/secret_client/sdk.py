"""Asks AWS itself, when the extension fails: with `signed`, or else with boto3."""

from _thread import RLock, start_new_thread
from contextlib import suppress
from time import monotonic

from .errors import (
    NETWORK,
    AccessDenied,
    DecryptionFailed,
    InvalidValue,
    SecretError,
    SecretNotFound,
    Throttled,
    Unavailable,
)
from .extension import Question, value_of
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .client import Flight

# A region that did not answer is asked last for this long, unless it had little time.
_REGION_DOWN_SECONDS = 30.0
_FAIR_SECONDS = 0.5
# A call that hangs keeps its thread until its own timeouts end it.
_MAX_THREADS = 16


class Sdk:
    """A client of AWS for each service and region, made when it is first needed."""

    def __init__(
        self,
        make_client: "Callable[[str, str | None], Any] | None",
        new_flight: "Callable[[float], Flight]",
    ) -> None:
        self._new_flight = new_flight
        self._make_client = make_client or _client
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._down_until: dict[tuple[str, str | None], float] = {}
        self._running: set[Flight] = set()
        self._making: dict[tuple[str, str | None], RLock] = {}

    def prepare(self, place: "tuple[str, str | None]") -> None:
        """Make the client of a service and region in a thread; an error occurs again later."""

        def run() -> None:
            with suppress(Exception):
                self._client(place)

        start_new_thread(run, ())

    def _client(self, place: "tuple[str, str | None]") -> "Any":
        with self._making.setdefault(place, RLock()):  # one lock per region, as one may hang
            client = self._clients.get(place)
            if client is None:
                client = self._clients[place] = self._make_client(*place)
        return client

    def is_down(self, service: str, region: str | None) -> bool:
        """Whether a region has recently not answered."""
        return self._down_until.get((service, region), 0.0) > monotonic()

    def read(
        self, question: Question, regions: "list[str | None]", deadline: float, why: str
    ) -> Value:
        """Ask the regions one after the other, until one has the value.

        Args:
            question: what is read.
            regions: regions of replicas, and None, the function's own; or the region of a secret
                that is in another one.
            deadline: end of the time for all of them, on the clock of `monotonic`.
            why: why the extension did not answer, for the text of `Unavailable`.

        Raises:
            ImportError: it takes boto3, and there is none.
            SecretError: the cause, as the secret's home region names it.

        """
        home, replicas = Unavailable(), ""
        home_region = None if None in regions else regions[0]
        for place, region in enumerate(regions):
            now = monotonic()
            share = now + (deadline - now) / (len(regions) - place)
            source = "sdk" if region == home_region else f"replica:{region}"
            try:
                return self._read_in(question, region, share, why, source)
            except SecretError as error:
                # An error from a replica says nothing about the secret itself.
                if region != home_region:
                    replicas += f"; {region}: {type(error).__name__}"
                elif isinstance(error, Unavailable):
                    home = error
                else:
                    raise
        raise Unavailable(f"{home}{replicas}") from home

    def _read_in(
        self, question: Question, region: str | None, deadline: float, why: str, source: str
    ) -> Value:
        place = (question.service, region)
        client, start = self._clients.get(place), monotonic()
        arguments = _arguments(question, region)
        if len(self._running) >= _MAX_THREADS:
            raise Unavailable(
                f"{question.name}: {len(self._running)} earlier calls are unanswered; {NETWORK}"
            )
        # The clients have no deadline for a whole call.
        flight = self._new_flight(deadline)
        flight.done.acquire()
        self._running.add(flight)

        def run() -> None:
            try:
                sdk = self._client(place)
                ask = sdk.get_parameter if question.service == "ssm" else sdk.get_secret_value
                flight.outcome = _read(question.service, ask(**arguments), source)
            except BaseException as error:  # noqa: BLE001 (raised in the thread that waits)
                flight.outcome = error
            finally:
                self._running.discard(flight)
                flight.done.release()

        try:
            start_new_thread(run, ())
            outcome: Value | BaseException = TimeoutError("no answer in time")
            if flight.wait(deadline):
                outcome = flight.outcome
            if isinstance(outcome, BaseException):
                raise outcome  # noqa: TRY301 (as if called here)
        except ImportError:
            raise
        except Exception as error:
            cause, text = _cause(error)
            # Otherwise importing boto3, or the end of an invocation, may have used up the time.
            is_fair = client is not None and deadline - start >= _FAIR_SECONDS
            if cause is Unavailable and is_fair:
                self._down_until[place] = monotonic() + _REGION_DOWN_SECONDS
            if cause is Unavailable or (cause is AccessDenied and "token" in why):
                text = f"{why}; {text}"
            raise cause(f"{question.name}: {text}") from error
        return outcome


def _arguments(question: Question, region: str | None) -> "dict[str, Any]":
    """Return the arguments of the call in a region."""
    selectors, secret_id = question.selectors, question.name
    if region is not None and secret_id.startswith("arn:"):  # it has the region
        fields = secret_id.split(":")
        secret_id = ":".join([*fields[:3], region, *fields[4:]])
    if question.service == "ssm":
        selected = selectors.get("version") or selectors.get("label")
        name = f"{question.name}:{selected}" if selected else question.name
        return {"Name": name, "WithDecryption": "withDecryption" in selectors}
    names = {"versionId": "VersionId", "versionStage": "VersionStage"}
    return {"SecretId": secret_id} | {names[word]: text for word, text in selectors.items()}


def _read(service: str, answer: "Any", source: str) -> Value | ConnectionError:
    """Return the error instead of raising it: this frame holds the answer."""
    try:
        return value_of(service, answer, source)
    except (AttributeError, KeyError, TypeError, ValueError):
        return ConnectionError("the answer cannot be read")


def _client(service: str, region: str | None) -> "Any":
    from .signed import signed_client

    return signed_client(service, region) or _boto3_client(service, region)


def _boto3_client(service: str, region: str | None) -> "Any":
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 2, "mode": "standard"}
    )
    session: Any = boto3.Session()
    return session.client(service, region, config=config)


# --- why it failed -------------------------------------------------------------------------------

_OTHER = SecretError, "check the function's AWS_ variables, and boto3's version"
_KEY = "grant the role kms:Decrypt on the key, and see that the key is enabled"
# A request that was signed long before it arrived.
_LATE = {"RequestExpired", "RequestTimeTooSkewed"}
# AWS's error code or the name of the SDK's exception -> error class and next step
_CAUSES = {
    code: (cause, step)
    for cause, step, codes in (
        (
            AccessDenied,
            "allow the function's role to read it, and check the secret's resource policy",
            "AccessDenied AccessDeniedException",
        ),
        (
            AccessDenied,
            (
                "the credentials are not valid: remove AWS_* variables of your own; if there are"
                " none, assign the function's role again"
            ),
            (
                "CredentialRetrievalError ExpiredTokenException InvalidSignatureException"
                " NoCredentialsError PartialCredentialsError UnrecognizedClientException"
            ),
        ),
        (
            SecretNotFound,
            "check name, region, version and stage, and that the secret has a value",
            "ParameterNotFound ParameterVersionNotFound ResourceNotFoundException",
        ),
        (
            SecretNotFound,
            "if it is marked for deletion: aws secretsmanager restore-secret",
            "InvalidRequestException",
        ),
        (
            Throttled,
            "cache values longer, or request a higher quota",
            "KMSThrottlingException ThrottlingException TooManyRequestsException",
        ),
        (DecryptionFailed, _KEY, "DecryptionFailure InvalidKeyId"),
        (
            InvalidValue,
            "check the name, version, stage or label in the call",
            "InvalidParameterException ParamValidationError ValidationException",
        ),
        (Unavailable, NETWORK, "KMSInternalException"),
    )
    for code in codes.split()
}


def error_of(name: str, code: str, message: str) -> SecretError:
    """Return the error that a response names."""
    cause, text = _named(code, message, 0)
    return cause(f"{name}: {text}")


def _cause(error: Exception) -> tuple[type[SecretError], str]:
    """Return error class and text for an exception of the SDK; the text holds no value."""
    if isinstance(error, SecretError):  # of a client that reads its own credentials so
        return type(error), str(error)
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        given = response.get("Error", {})
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return _named(str(given.get("Code")), str(given.get("Message", "")), status)
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "SSLError" not in kinds and kinds & {"ConnectionError", "HTTPClientError", "TimeoutError"}:
        return Unavailable, f"AWS did not answer ({error}); {NETWORK}"
    name = type(error).__name__
    cause, step = _CAUSES.get(name, _OTHER)
    return cause, f"AWS was not asked ({name}: {error}); {step}"


def _named(code: str, message: str, status: int) -> tuple[type[SecretError], str]:
    text = f"{code}: {message}".rstrip(" .:")
    if status >= 500:
        return Unavailable, f"AWS answered {status} {code}; {NETWORK}"
    if "Signature expired" in message or code in _LATE:
        return Unavailable, f"{text}; Lambda froze the request, or the clock is wrong"
    if code == "InvalidRequestException" and "delet" not in message:
        return SecretError, f"{text}; {_OTHER[1]}"
    cause, step = _CAUSES.get(code, _OTHER)
    # KMS's codes, Secrets Manager's words, IAM's, and Parameter Store's.
    key = any(word in f"to {text}" for word in ("to KMS", "kms:", "The ciphertext"))
    if key and cause in (AccessDenied, SecretError):
        cause, step = DecryptionFailed, _KEY
    return cause, f"{text}; {step}"
