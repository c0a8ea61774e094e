"""IAM: roles, policies, and attachments.

The real provider retries for two minutes while a new principal is unknown, or while a role still
has policies. That is left out, because IAM is consistent immediately here.
"""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local.provider import forms
from local.provider.resource import (
    TAGS,
    AutoName,
    Input,
    Properties,
    RejectedError,
    Resource,
    Session,
    given,
    tag_list,
    tag_map,
)

_GONE = frozenset({"NoSuchEntity"})
_NAME = "[0-9A-Za-z_+=,.@-]*"
_OBJECT = r"(?s)\{.*"
_DESCRIPTION = r"[\t\n\r\x20-\x7e\xa1-\xff]*"
_VERSIONS = 5


def _client(session: Session) -> Any:
    return session.client("iam")


def _named(longest: int, auto: int) -> Input:
    return Input(
        computed=True,
        replaces=True,
        auto_name=AutoName(auto),
        pattern=_NAME,
        length=(1, longest),
    )


def _all(session: Session, operation: str, key: str, **arguments: str) -> list[Any]:
    pages = _client(session).get_paginator(operation).paginate(**arguments)
    return [each for page in pages for each in page[key]]


def _attached(session: Session, role: str) -> list[str]:
    found = _all(session, "list_attached_role_policies", "AttachedPolicies", RoleName=role)
    return [each["PolicyArn"] for each in found]


def _inline(policies: Any) -> object:
    """Normalize inline policies: compared by name and meaning, an empty one equals none."""
    if not isinstance(policies, list):
        return policies
    return {
        each.get("name"): forms.policy(each["policy"]) for each in policies if each.get("policy")
    } or None


class Role(Resource):
    """A role."""

    type = "aws:iam/role:Role"
    inputs = {
        "assumeRolePolicy": Input(required=True, json=True, form=forms.policy),
        "description": Input(length=(0, 1000), pattern=_DESCRIPTION),
        "forceDetachPolicies": Input(default=False),
        "inlinePolicies": Input(
            computed=True,
            form=_inline,
            fields={
                "name": Input(pattern=_NAME, length=(1, 128)),
                "policy": Input(json=True, pattern=_OBJECT),
            },
        ),
        "managedPolicyArns": Input(computed=True, form=forms.unordered, arn=True),
        "maxSessionDuration": Input(default=3600, bounds=(3600, 43200)),
        "name": _named(64, auto=64),
        "path": Input(default="/", replaces=True, length=(0, 512)),
        "permissionsBoundary": Input(arn=True),
        "tags": TAGS,
    }
    outputs = ("arn", "createDate", "uniqueId")
    gone = _GONE

    def create(self, session: Session, inputs: Properties) -> str:
        role = _client(session).create_role(
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=forms.compact(inputs["assumeRolePolicy"]),
            Tags=tag_list(inputs["tags"]),
            **given(inputs, "description", "maxSessionDuration", "path", "permissionsBoundary"),
        )["Role"]["RoleName"]
        # Not `already_created`: the real provider does not record a role with rejected policies.
        _put_inline(session, role, inputs.get("inlinePolicies") or [])
        _attach(session, role, inputs.get("managedPolicyArns") or [])
        return str(role)

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        iam = _client(session)
        role = iam.get_role(RoleName=id_)["Role"]
        documents = {
            name: iam.get_role_policy(RoleName=id_, PolicyName=name)["PolicyDocument"]
            for name in _all(session, "list_role_policies", "PolicyNames", RoleName=id_)
        }
        return {
            "arn": role["Arn"],
            "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
            "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "description": role.get("Description", ""),
            "inlinePolicies": [
                {"name": name, "policy": json.dumps(document)}
                for name, document in documents.items()
            ],
            "managedPolicyArns": _attached(session, id_),
            "maxSessionDuration": role["MaxSessionDuration"],
            "name": role["RoleName"],
            "path": role["Path"],
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get(
                "PermissionsBoundaryArn", ""
            ),
            "tags": tag_map(role.get("Tags", [])),
            "uniqueId": role["RoleId"],
        }

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        iam = _client(session)
        if "assumeRolePolicy" in changed:
            policy = forms.compact(inputs["assumeRolePolicy"])
            iam.update_assume_role_policy(RoleName=id_, PolicyDocument=policy)
        if "description" in changed:
            text = inputs.get("description", "")
            iam.update_role_description(RoleName=id_, Description=text)
        if "maxSessionDuration" in changed:
            iam.update_role(RoleName=id_, MaxSessionDuration=inputs["maxSessionDuration"])
        if "permissionsBoundary" in changed:
            if boundary := inputs.get("permissionsBoundary"):
                iam.put_role_permissions_boundary(RoleName=id_, PermissionsBoundary=boundary)
            else:
                iam.delete_role_permissions_boundary(RoleName=id_)
        if "inlinePolicies" in changed:
            old, new = (each["inlinePolicies"] or [] for each in (state, inputs))
            kept = {each.get("name") for each in new}
            _drop_inline(session, id_, (each["name"] for each in old if each["name"] not in kept))
            _put_inline(session, id_, (each for each in new if each not in old))
        if "managedPolicyArns" in changed:
            old, new = (set(each["managedPolicyArns"] or []) for each in (state, inputs))
            _detach(session, id_, sorted(old - new))
            _attach(session, id_, sorted(new - old))

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        _client(session).tag_role(RoleName=id_, Tags=tag_list(tags))

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        _client(session).untag_role(RoleName=id_, TagKeys=keys)

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        iam = _client(session)
        profiles = _all(
            session, "list_instance_profiles_for_role", "InstanceProfiles", RoleName=id_
        )
        for profile in profiles:
            iam.remove_role_from_instance_profile(
                RoleName=id_, InstanceProfileName=profile["InstanceProfileName"]
            )
        forced = state.get("forceDetachPolicies")
        # Every policy in IAM, even if the state has only one.
        if forced or state.get("managedPolicyArns"):
            _detach(session, id_, _attached(session, id_))
        if forced or state.get("inlinePolicies"):
            names = _all(session, "list_role_policies", "PolicyNames", RoleName=id_)
            _drop_inline(session, id_, names)
        iam.delete_role(RoleName=id_)


def _put_inline(session: Session, role: str, policies: Iterable[Properties]) -> None:
    for policy in policies:
        if policy.get("name") and policy.get("policy"):
            _client(session).put_role_policy(
                RoleName=role, PolicyName=policy["name"], PolicyDocument=policy["policy"]
            )


def _drop_inline(session: Session, role: str, names: Iterable[str]) -> None:
    for name in names:
        _unless_gone(_client(session).delete_role_policy, RoleName=role, PolicyName=name)


def _attach(session: Session, role: str, arns: Iterable[str]) -> None:
    for arn in arns:
        _client(session).attach_role_policy(RoleName=role, PolicyArn=arn)


def _detach(session: Session, role: str, arns: Iterable[str]) -> None:
    for arn in arns:
        _unless_gone(_client(session).detach_role_policy, RoleName=role, PolicyArn=arn)


def _unless_gone(call: Any, **arguments: str) -> None:
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise


class Policy(Resource):
    """A managed policy. A change creates a version, of which AWS keeps five."""

    type = "aws:iam/policy:Policy"
    inputs = {
        "delayAfterPolicyCreationInMs": Input(),
        "description": Input(replaces=True),
        "name": _named(128, auto=255),
        "path": Input(default="/", replaces=True),
        "policy": Input(required=True, json=True, pattern=_OBJECT, form=forms.policy),
        "tags": TAGS,
    }
    outputs = ("arn", "attachmentCount", "policyId")
    gone = _GONE

    def create(self, session: Session, inputs: Properties) -> str:
        policy = _client(session).create_policy(
            PolicyName=inputs["name"],
            PolicyDocument=forms.compact(inputs["policy"]),
            Description=inputs.get("description", ""),
            Path=inputs["path"],
            Tags=tag_list(inputs["tags"]),
        )["Policy"]
        return str(policy["Arn"])

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        iam = _client(session)
        policy = iam.get_policy(PolicyArn=id_)["Policy"]
        version = iam.get_policy_version(PolicyArn=id_, VersionId=policy["DefaultVersionId"])
        return {
            "arn": policy["Arn"],
            "attachmentCount": policy["AttachmentCount"],
            "description": policy.get("Description", ""),
            "name": policy["PolicyName"],
            "path": policy["Path"],
            "policy": json.dumps(version["PolicyVersion"]["Document"]),
            "policyId": policy["PolicyId"],
            "tags": tag_map(policy.get("Tags", [])),
        }

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        if "policy" not in changed:
            return
        iam, others = _client(session), self._others(session, id_)
        if len(others) + 1 >= _VERSIONS:
            oldest = min(others, key=lambda version: version["CreateDate"])
            iam.delete_policy_version(PolicyArn=id_, VersionId=oldest["VersionId"])
        delay = inputs.get("delayAfterPolicyCreationInMs")
        version = iam.create_policy_version(
            PolicyArn=id_, PolicyDocument=forms.compact(inputs["policy"]), SetAsDefault=not delay
        )["PolicyVersion"]
        if delay:
            time.sleep(delay / 1000)
            iam.set_default_policy_version(PolicyArn=id_, VersionId=version["VersionId"])

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        _client(session).tag_policy(PolicyArn=id_, Tags=tag_list(tags))

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        _client(session).untag_policy(PolicyArn=id_, TagKeys=keys)

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        iam = _client(session)
        for version in self._others(session, id_):
            iam.delete_policy_version(PolicyArn=id_, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=id_)

    def _others(self, session: Session, arn: str) -> list[Any]:
        """Return the versions except the default one."""
        versions = _all(session, "list_policy_versions", "Versions", PolicyArn=arn)
        return [version for version in versions if not version["IsDefaultVersion"]]


class RolePolicy(Resource):
    """An inline policy of a role."""

    type = "aws:iam/rolePolicy:RolePolicy"
    inputs = {
        "name": _named(128, auto=255),
        "policy": Input(required=True, json=True, pattern=_OBJECT, form=forms.policy),
        "role": Input(required=True, replaces=True),
    }
    gone = _GONE

    def create(self, session: Session, inputs: Properties) -> str:
        self._put(session, inputs)
        return f"{inputs['role']}:{inputs['name']}"

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        role, name = id_.split(":", 1)
        policy = _client(session).get_role_policy(RoleName=role, PolicyName=name)
        return {"name": name, "policy": json.dumps(policy["PolicyDocument"]), "role": role}

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        self._put(session, inputs)

    def _put(self, session: Session, inputs: Properties) -> None:
        _client(session).put_role_policy(
            RoleName=inputs["role"],
            PolicyName=inputs["name"],
            PolicyDocument=forms.compact(inputs["policy"]),
        )

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        role, name = id_.split(":", 1)
        _client(session).delete_role_policy(RoleName=role, PolicyName=name)

    def imported(self, session: Session, id_: str) -> tuple[str, Properties]:
        if ":" not in id_:
            raise RejectedError(f"{id_!r}: must be <role name>:<policy name>")
        return id_, {}


class RolePolicyAttachment(Resource):
    """The attachment of a managed policy to a role."""

    type = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    inputs = {
        "policyArn": Input(required=True, replaces=True, arn=True),
        "role": Input(required=True, replaces=True),
    }
    gone = _GONE
    deletes_first = True

    def create(self, session: Session, inputs: Properties) -> str:
        _attach(session, inputs["role"], [inputs["policyArn"]])
        return f"{inputs['role']}/{inputs['policyArn']}"

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        role, arn = id_.split("/", 1)
        return {"policyArn": arn, "role": role} if arn in _attached(session, role) else None

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        role, arn = id_.split("/", 1)
        _client(session).detach_role_policy(RoleName=role, PolicyArn=arn)

    def imported(self, session: Session, id_: str) -> tuple[str, Properties]:
        if "/arn:" not in id_:
            raise RejectedError(f"{id_!r}: must be <role name>/<policy ARN>")
        return id_, {}
