"""A resource type: its inputs, and the calls that create, read, update and delete it.

The facts about inputs are those of Pulumi's AWS provider: https://github.com/pulumi/pulumi-aws
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from local.account import AwsAccount

Properties = dict[str, Any]
"""Inputs and outputs under the provider's names (camelCase), with JSON values."""


class AutoName(NamedTuple):
    """How a name is generated if the program sets none: `<logical name>-<7 hex digits>`."""

    longest: int = 255
    """The most characters without the prefix; the preview rejects a longer name."""
    prefix: str = ""
    lower: bool = False
    """Whether the logical name is converted to lower case."""


@dataclass(frozen=True)
class Input:
    """What the provider knows about one input."""

    required: bool = False
    computed: bool = False
    """Whether AWS chooses a value for an unset input; that value is not a difference."""
    replaces: bool = False
    """Whether a change replaces the resource."""
    sensitive: bool = False
    """Whether it is always secret in the state."""
    default: object = None
    """The provider's default for an unset input."""
    auto_name: AutoName | None = None
    pattern: str = ""
    """Regular expression for the whole text, or for each item of a list."""
    length: tuple[int, int] | None = None
    """Minimum and maximum number of characters, or of items of a list."""
    bounds: tuple[float, float] | None = None
    """Minimum and maximum of a number."""
    also: tuple[object, ...] = ()
    """Other allowed values."""
    choices: tuple[object, ...] = ()
    """The only allowed values."""
    json: bool = False
    """Whether the text must be JSON."""
    arn: bool = False
    """Whether the text, or each item of the list, must look like an ARN."""
    form: Callable[[Any], object] | None = None
    """Returns a normal form: two values are equal if their normal forms are."""
    fields: "Mapping[str, Input] | None" = None
    """The inputs of this map, or of each map of this list.

    Pattern, bounds, choices and ARN of a list apply to each item.
    """


EMPTY: tuple[object, ...] = (None, "", [], {})
"""Values that the provider treats as unset."""
REGION = Input(computed=True, replaces=True)
TAGS = Input()


class Session:
    """An account in one region, with the administrator's clients."""

    def __init__(self, aws: AwsAccount, region: str) -> None:
        self.aws = aws
        self.region = region

    def client(self, service: str) -> Any:
        """Return the administrator's client in the region."""
        return self.aws.client(service, self.region)

    def elsewhere(self, region: str) -> "Session":
        """Return the same account in another region."""
        return Session(self.aws, region) if region != self.region else self


class RejectedError(Exception):
    """The provider itself, not AWS, rejects something; the text is the reason."""


class PartlyMadeError(Exception):
    """A resource was created, but a later call of its creation failed.

    `id` is the id of the resource; the text is the reason.
    """

    def __init__(self, id_: str, reason: str) -> None:
        super().__init__(reason)
        self.id = id_


@contextmanager
def already_created(id_: str) -> Iterator[None]:
    """Report a failed call together with the id of the resource that exists already.

    Raises:
        PartlyMadeError: a call failed.

    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise PartlyMadeError(id_, str(error)) from error


class Resource:
    """A resource type. The modules of the services subclass it; methods get checked inputs.

    `state` has the recorded inputs and outputs. Methods may raise boto3's errors and
    `RejectedError`; both are shown unchanged.
    """

    type: ClassVar[str]
    """Type token, such as `aws:kms/key:Key`."""
    inputs: ClassVar[Mapping[str, Input]]
    outputs: ClassVar[tuple[str, ...]] = ()
    """Outputs that are not inputs; `tagsAll` is added if there are `tags`."""
    gone: ClassVar[frozenset[str]] = frozenset()
    """Error codes that tell `read` that the resource is gone."""
    deleted: ClassVar[frozenset[str] | None] = None
    """Error codes that `delete` treats as success; None: the same as `gone`."""
    deletes_first: ClassVar[bool] = False
    """Whether a replaced resource is always deleted before the new one is created."""
    one_of: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of inputs of which exactly one must be set."""
    at_least_one_of: ClassVar[tuple[tuple[str, ...], ...]] = ()
    conflicts: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Pairs of inputs that must not be set together."""
    needs: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Pairs: the first input can be set only with the second."""

    def create(self, session: Session, inputs: Properties) -> str | tuple[str, Properties]:
        """Create the resource with its tags; return its id, and outputs that `read` cannot get."""
        raise NotImplementedError

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        """Read inputs and outputs from AWS; None if the resource is gone.

        Keys that AWS does not return are omitted and keep their values in the `state`. Tags
        include all tags in AWS.
        """
        raise NotImplementedError

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> Properties | None:
        """Update the resource; `changed` names the inputs that differ, except `tags`.

        Return outputs that `read` cannot get.
        """

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        """Add or update tags."""
        raise NotImplementedError

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        """Remove tags."""
        raise NotImplementedError

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        """Delete the resource."""
        raise NotImplementedError

    def imported(self, session: Session, id_: str) -> tuple[str, Properties]:
        """Return the id, and the inputs that it contains, for the argument of `pulumi import`.

        Raises:
            RejectedError: the argument has another form.

        """
        del session
        return id_, {}

    def errors(self, inputs: Properties) -> Iterable[tuple[str, str]]:
        """Yield other errors of the provider's check: input, reason. `inputs` has no unknowns."""
        del inputs
        return ()

    def replacing(self, state: Properties, inputs: Properties, changed: set[str]) -> set[str]:
        """Return the changed inputs that replace the resource.

        Raises:
            RejectedError: the change is rejected, so the preview fails.

        """
        del state, inputs
        return {key for key in changed if self.inputs[key].replaces}

    def unknown_after(self, changed: set[str], inputs: Properties) -> set[str]:
        """Return the outputs that an update of these inputs changes."""
        del changed, inputs
        return set()


def camel(value: Any) -> Any:
    """Convert AWS's keys to the provider's: `KmsKeyId` -> `kmsKeyId`."""
    if isinstance(value, Mapping):
        return {f"{key[0].lower()}{key[1:]}": camel(inner) for key, inner in value.items()}
    return [camel(each) for each in value] if isinstance(value, list) else value


def pascal(value: Any) -> Any:
    """Convert the provider's keys to AWS's: `kmsKeyId` -> `KmsKeyId`."""
    if isinstance(value, Mapping):
        return {f"{key[0].upper()}{key[1:]}": pascal(inner) for key, inner in value.items()}
    return [pascal(each) for each in value] if isinstance(value, list) else value


def tag_list(tags: Mapping[str, str] | None, prefix: str = "") -> list[dict[str, str]]:
    """Convert tags to a list of `Key` and `Value`, as most services need them."""
    return [{f"{prefix}Key": key, f"{prefix}Value": value} for key, value in (tags or {}).items()]


def tag_map(tags: Iterable[Mapping[str, str]], prefix: str = "") -> dict[str, str]:
    """Convert such a list to tags."""
    return {each[f"{prefix}Key"]: each[f"{prefix}Value"] for each in tags}


def given(inputs: Mapping[str, Any], *keys: str) -> Properties:
    """Return the inputs among `keys` that are set, under AWS's names."""
    return pascal({key: inputs[key] for key in keys if inputs.get(key) not in EMPTY})  # type: ignore[no-any-return]
