"""The AWS provider that both engines use on the embedded AWS."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.account import AwsAccount
from local.provider import functions
from local.provider.catalog import RESOURCES
from local.provider.check import Failure, checked
from local.provider.diff import Difference, all_tags, difference, recorded, refreshed
from local.provider.resource import (
    EMPTY,
    PartlyMadeError,
    Properties,
    RejectedError,
    Resource,
    Session,
    already_created,
)
from local.provider.wire import UNKNOWN

_SUFFIX_CHARACTERS = 7


class DeploymentError(Exception):
    """AWS rejected a resource; the text has the resource and AWS's reason."""


class HalfMadeError(DeploymentError):
    """A resource was created, but a later call for it failed."""

    def __init__(self, reason: str, id_: str, state: Properties) -> None:
        super().__init__(reason)
        self.id = id_
        self.state = state


@dataclass(frozen=True)
class Created:
    """A resource that was just created."""

    type: str
    name: str
    """Logical name."""
    id: str
    inputs: Properties
    """Unmasked inputs, including secrets: never print them."""
    outputs: Properties


class Provider:
    """Creates, reads, updates and deletes the resources of one account."""

    preview = False

    def __init__(
        self, aws: AwsAccount, region: str, created: Callable[[Created], None] | None = None
    ) -> None:
        self._session = Session(aws, region)
        self._created = created or (lambda _: None)
        self.default_tags: dict[str, str] = {}
        """Tags for every resource, from the provider's config."""

    def configure(self, region: str | None, default_tags: Mapping[str, str]) -> None:
        """Set the provider's config: `aws:region` and `aws:defaultTags`."""
        if region:
            self._session = self._session.elsewhere(region)
        self.default_tags = dict(default_tags)

    def check(
        self,
        type_: str,
        name: str,
        given: Properties,
        previous: Properties | None = None,
        suffix: str = "",
    ) -> tuple[Properties, list[Failure]]:
        """Return the inputs with defaults, and path and reason of each error.

        Raises:
            DeploymentError: the type is unknown.

        """
        return check(type_, name, given, previous, suffix)

    def diff(self, type_: str, state: Properties, wanted: Properties) -> Difference:
        """Compare the new inputs with the recorded state.

        Raises:
            DeploymentError: the provider rejects the change.

        """
        with _errors_named(type_):
            return difference(_resource(type_), state, wanted, self.default_tags)

    def planned(self, type_: str, inputs: Properties) -> Properties:
        """Return what is known about a resource before it is created."""
        resource = _resource(type_)
        computed = {key for key, about in resource.inputs.items() if about.computed}
        unknown = {*resource.outputs, *computed} - inputs.keys() - {"region"}
        state = {**inputs, **dict.fromkeys(unknown, UNKNOWN)}
        if "region" in resource.inputs:
            state.setdefault("region", self._session.region)
        return self._with_all_tags(resource, state)

    def create(self, type_: str, name: str, inputs: Properties) -> tuple[str, Properties]:
        """Create a resource from checked inputs; return its id and state.

        Raises:
            HalfMadeError: it was created, but a later call failed.
            DeploymentError: AWS rejected it.

        """
        resource, session = _resource(type_), self._for(inputs)
        wanted = {**inputs, "tags": all_tags(inputs.get("tags"), self.default_tags)}
        with _errors_named(f"{name} ({type_})"):
            try:
                made = resource.create(session, wanted)
                id_, outputs = made if isinstance(made, tuple) else (made, {})
                with already_created(id_):
                    state = self._read(resource, session, id_, {**inputs, **outputs})
            except PartlyMadeError as error:
                state = self._read(resource, session, error.id, inputs) or inputs
                raise HalfMadeError(f"{name} ({type_}): {error}", error.id, state) from error
        if state is None:
            raise DeploymentError(f"{name} ({type_}): was created, but AWS does not find it")
        self._created(Created(type_, name, id_, inputs, state))
        return id_, state

    def read(self, type_: str, name: str, id_: str, state: Properties) -> Properties | None:
        """Read the state of a recorded resource; None if it is gone.

        Raises:
            DeploymentError: AWS rejected the call.

        """
        resource = _resource(type_)
        with _errors_named(f"{name} ({type_})"):
            return self._read(resource, self._for(state), id_, state)

    def refreshed(self, type_: str, given: Properties, read: Properties) -> Properties:
        """Return the inputs of a resource after its state was read."""
        return refreshed(_resource(type_), given, read)

    def find(self, type_: str, name: str, id_: str) -> tuple[str, Properties, Properties] | None:
        """Read a resource to import: its id, inputs and state; None if it does not exist.

        `id_` is the argument of `pulumi import`.

        Raises:
            DeploymentError: AWS rejected the call.

        """
        resource = _resource(type_)
        with _errors_named(f"{name} ({type_})"):
            id_, known = resource.imported(self._session, id_)
            state = self._read(resource, self._session, id_, known)
        if state is None:
            return None
        defaults = {key: about.default for key, about in resource.inputs.items()}
        groups = (*resource.one_of, *resource.at_least_one_of)
        needed = {key for group in groups for key in group}
        inputs = {
            key: state[key]
            for key, about in resource.inputs.items()
            if state.get(key) not in (*EMPTY, defaults[key])
            and (not about.computed or about.auto_name is not None or key in needed)
        }
        return id_, inputs, {**{k: v for k, v in defaults.items() if v is not None}, **state}

    def update(
        self, type_: str, name: str, id_: str, state: Properties, inputs: Properties
    ) -> Properties:
        """Update a resource; return its state.

        Raises:
            DeploymentError: AWS rejected the change.

        """
        resource, session = _resource(type_), self._for(inputs)
        changed = set(self.diff(type_, state, inputs).changed)
        with _errors_named(f"{name} ({type_})"):
            if "tags" in changed:
                self._retag(resource, session, id_, state, inputs)
            own = changed - {"tags"}
            outputs = resource.update(session, id_, state, inputs, own) if own else None
            # A removed input is no longer recorded, unless AWS still returns it.
            kept = {key: value for key, value in state.items() if key not in changed}
            read = self._read(resource, session, id_, {**kept, **inputs, **(outputs or {})})
        if read is None:
            raise DeploymentError(f"{name} ({type_}): is gone; run `pulumi refresh`")
        return read

    def updated(self, type_: str, state: Properties, inputs: Properties) -> Properties:
        """Return what is known about a resource before it is updated."""
        resource = _resource(type_)
        changed = set(self.diff(type_, state, inputs).changed)
        unknown = resource.unknown_after(changed, inputs)
        kept = {key: value for key, value in state.items() if key not in changed}
        return self._with_all_tags(resource, {**kept, **inputs, **dict.fromkeys(unknown, UNKNOWN)})

    def delete(self, type_: str, name: str, id_: str, state: Properties) -> None:
        """Delete a resource, unless it is already gone.

        Raises:
            DeploymentError: AWS rejected the call.

        """
        resource = _resource(type_)
        gone = resource.gone if resource.deleted is None else resource.deleted
        with _errors_named(f"{name} ({type_})"):
            try:
                resource.delete(self._for(state), id_, state)
            except ClientError as error:
                if error.response["Error"]["Code"] not in gone:
                    raise

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a provider function, such as `aws:index/getCallerIdentity:…`.

        Raises:
            DeploymentError: the function is unknown, or AWS rejected the call.

        """
        if token not in functions.FUNCTIONS:
            raise DeploymentError(f"the local run does not support the function {token}")
        with _errors_named(token):
            return functions.FUNCTIONS[token](self._session, args)

    def sensitive(self, type_: str) -> frozenset[str]:
        """Return the names of the properties that are secret in the state."""
        inputs = _resource(type_).inputs
        return frozenset(key for key, about in inputs.items() if about.sensitive)

    def _for(self, properties: Properties) -> Session:
        region = properties.get("region")
        return self._session.elsewhere(region) if region else self._session

    def _read(
        self, resource: Resource, session: Session, id_: str, state: Properties
    ) -> Properties | None:
        try:
            read = resource.read(session, id_, state)
        except ClientError as error:
            if error.response["Error"]["Code"] in resource.gone:
                return None
            raise
        if read is None:
            return None
        if "region" in resource.inputs:
            read["region"] = session.region
        if "tags" in resource.inputs and "tags" in read:
            found = {k: v for k, v in read.pop("tags").items() if not k.startswith("aws:")}
            own = state.get("tags") or {}
            read["tagsAll"] = found
            read["tags"] = {
                key: value
                for key, value in found.items()
                if key in own or self.default_tags.get(key) != value
            }
        return recorded(resource, state, read)

    def _retag(
        self,
        resource: Resource,
        session: Session,
        id_: str,
        state: Properties,
        inputs: Properties,
    ) -> None:
        old, new = state.get("tagsAll") or {}, all_tags(inputs.get("tags"), self.default_tags)
        if left := [key for key in old if key not in new]:
            resource.untag(session, id_, state, left)
        if added := {key: value for key, value in new.items() if old.get(key) != value}:
            resource.tag(session, id_, state, added)

    def _with_all_tags(self, resource: Resource, state: Properties) -> Properties:
        if "tags" not in resource.inputs:
            return state
        return {**state, "tagsAll": all_tags(state.get("tags"), self.default_tags)}


def check(
    type_: str, name: str, given: Properties, previous: Properties | None = None, suffix: str = ""
) -> tuple[Properties, list[Failure]]:
    """Return the inputs with defaults, and path and reason of each error. Calls no AWS API.

    `previous` are the inputs of the existing resource; `suffix` ends an automatic name (default:
    random).

    Raises:
        DeploymentError: the type is unknown.

    """
    suffix = suffix or secrets.token_hex(4)[:_SUFFIX_CHARACTERS]
    return checked(_resource(type_), name, given, previous or {}, suffix)


def _resource(type_: str) -> Resource:
    if type_ not in RESOURCES:
        raise DeploymentError(
            f"the local run does not support {type_}; add a class for it to local/provider/"
        )
    return RESOURCES[type_]


@contextmanager
def _errors_named(what: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError, RejectedError) as error:
        raise DeploymentError(f"{what}: {error}") from error
