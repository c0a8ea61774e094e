"""A resource type: facts about its inputs, and the calls that make, read, change and delete it.

The facts are those of Pulumi's AWS provider: https://github.com/pulumi/pulumi-aws
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from local.account import AwsAccount

Properties = dict[str, Any]
"""Inputs and outputs in the provider's words (camelCase), values as JSON has them."""


class AutoName(NamedTuple):
    """How a name is made that the program did not give: `<logical name>-<7 hex digits>`."""

    longest: int = 255
    """Characters at most, the prefix left out; a longer one is refused by the preview."""
    prefix: str = ""
    lower: bool = False
    """Whether the logical name is put in lower case."""


@dataclass(frozen=True)
class Input:
    """What the provider knows about one input."""

    required: bool = False
    computed: bool = False
    """Whether AWS chooses the value where none is given; then it is no difference."""
    replaces: bool = False
    """Whether a change makes another resource."""
    sensitive: bool = False
    """Whether it is a secret in the state, whatever the program says."""
    default: object = None
    """What the provider puts where nothing is given."""
    auto_name: AutoName | None = None
    pattern: str = ""
    """Regular expression for the whole text; of a list, for each item."""
    length: tuple[int, int] | None = None
    """Characters of a text, or items of a list: at least, at most."""
    bounds: tuple[float, float] | None = None
    """A number, at least and at most."""
    also: tuple[object, ...] = ()
    """Further values that are allowed."""
    choices: tuple[object, ...] = ()
    """The only values that are allowed."""
    json: bool = False
    """Whether the text must be JSON."""
    arn: bool = False
    """Whether the text, or each item of the list, must look like an ARN."""
    form: Callable[[Any], object] | None = None
    """Writes a value so that two values are equal if they mean the same."""
    fields: "Mapping[str, Input] | None" = None
    """Inputs of the map, or of each map of the list, that this one is.

    Pattern, bounds, choices and ARN of a list are those of each item.
    """


EMPTY: tuple[object, ...] = (None, "", [], {})
"""What the provider takes for not given."""
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


class RefusedError(Exception):
    """The provider itself refuses, not AWS; the text is the reason."""


class PartlyMadeError(Exception):
    """A resource was made, and a later call of its creation was refused.

    `id` is the resource's; the text is the reason.
    """

    def __init__(self, id_: str, reason: str) -> None:
        super().__init__(reason)
        self.id = id_


@contextmanager
def made(id_: str) -> Iterator[None]:
    """Say of calls that AWS refuses that the resource was made before them.

    Raises:
        PartlyMadeError: a call was refused.

    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise PartlyMadeError(id_, str(error)) from error


class Resource:
    """One type. A module for each AWS service subclasses this; methods get checked inputs.

    `state` is what is recorded: inputs and outputs. An error of boto3 is shown as it is, and
    so is `RefusedError`.
    """

    type: ClassVar[str]
    """Type token, such as `aws:kms/key:Key`."""
    inputs: ClassVar[Mapping[str, Input]]
    outputs: ClassVar[tuple[str, ...]] = ()
    """Outputs that are no inputs; `tagsAll` is added where there are `tags`."""
    gone: ClassVar[frozenset[str]] = frozenset()
    """Codes of errors by which `read` learns that the resource is gone."""
    deleted: ClassVar[frozenset[str] | None] = None
    """Codes of errors that `delete` takes for success; None: those of `gone`."""
    deletes_first: ClassVar[bool] = False
    """Whether a replaced one always goes before the new one comes."""
    one_of: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Groups of inputs of which exactly one must be given."""
    at_least_one_of: ClassVar[tuple[tuple[str, ...], ...]] = ()
    conflicts: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Pairs of inputs that must not be given together."""
    needs: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Pairs: the first input may be given only with the second."""

    def create(self, session: Session, inputs: Properties) -> str | tuple[str, Properties]:
        """Make the resource, with its tags; return its id, and outputs that AWS tells only now."""
        raise NotImplementedError

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        """Read inputs and outputs as AWS has them; None if the resource is gone.

        What AWS does not tell is left out, and stays as it is in the `state`. Tags are all that
        AWS has.
        """
        raise NotImplementedError

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> Properties | None:
        """Change the resource; `changed` names the inputs that differ, but never `tags`.

        Return outputs that AWS tells only now.
        """

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        """Add tags, or change their values."""
        raise NotImplementedError

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        """Take tags away."""
        raise NotImplementedError

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        """Delete the resource."""
        raise NotImplementedError

    def imported(self, session: Session, id_: str) -> tuple[str, Properties]:
        """Return the id, and the inputs that it tells, for the id that `pulumi import` takes.

        Raises:
            RefusedError: that id has another form.

        """
        del session
        return id_, {}

    def refused(self, inputs: Properties) -> Iterable[tuple[str, str]]:
        """Say what else the provider's own check refuses: input, reason. Unknowns are left out."""
        del inputs
        return ()

    def replacing(self, state: Properties, inputs: Properties, changed: set[str]) -> set[str]:
        """Name those of the changed inputs that make another resource.

        Raises:
            RefusedError: this change is refused, so the preview fails.

        """
        del state, inputs
        return {key for key in changed if self.inputs[key].replaces}

    def unknown_after(self, changed: set[str], inputs: Properties) -> set[str]:
        """Name the outputs that an update of these inputs changes."""
        del changed, inputs
        return set()


def camel(value: Any) -> Any:
    """Write keys of AWS in the provider's words: `KmsKeyId` -> `kmsKeyId`."""
    if isinstance(value, Mapping):
        return {f"{key[0].lower()}{key[1:]}": camel(inner) for key, inner in value.items()}
    return [camel(each) for each in value] if isinstance(value, list) else value


def pascal(value: Any) -> Any:
    """Write keys of the provider in AWS's words: `kmsKeyId` -> `KmsKeyId`."""
    if isinstance(value, Mapping):
        return {f"{key[0].upper()}{key[1:]}": pascal(inner) for key, inner in value.items()}
    return [pascal(each) for each in value] if isinstance(value, list) else value


def tag_list(tags: Mapping[str, str] | None, prefix: str = "") -> list[dict[str, str]]:
    """Write tags as a list of `Key` and `Value`, as most services want them."""
    return [{f"{prefix}Key": key, f"{prefix}Value": value} for key, value in (tags or {}).items()]


def tag_map(tags: Iterable[Mapping[str, str]], prefix: str = "") -> dict[str, str]:
    """Read such a list."""
    return {each[f"{prefix}Key"]: each[f"{prefix}Value"] for each in tags}


def given(inputs: Mapping[str, Any], *keys: str) -> Properties:
    """Pick inputs that are not empty, in AWS's words."""
    return pascal({key: inputs[key] for key in keys if inputs.get(key) not in EMPTY})  # type: ignore[no-any-return]
