"""What services may do for somebody: by a role they assume, or a policy that names them."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam, kms, lambda_svc, sns

Policy = str | dict[str, Any] | None


def service_may(  # noqa: PLR0913 (what a policy's statement has)
    service: str,
    action: str,
    resource: str,
    policy: Policy,
    *,
    source_arn: str = "",
    conditions: Mapping[str, str] | None = None,
) -> bool:
    """Tell whether a resource's `policy` lets `service` act for `source_arn` of this account."""
    context = _context(
        action,
        resource,
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        service_context={
            "aws:sourcearn": source_arn,
            "aws:sourceaccount": get_account_id(),
            **(conditions or {}),
        },
    )
    result = iam_evaluator.evaluate_resource_policy(policy or {}, context, service=service)
    return bool(result.decision == "Allow")


def service_may_encrypt(service: str, key_id: str, *, source_arn: str) -> bool:
    """Tell whether `service` may put something encrypted with this key where it is wanted.

    Not with a key of AWS's own (`alias/aws/…`): its policy cannot be changed.
    """
    key = kms._resolve_key(key_id)
    if key is None or key["KeyState"] != "Enabled":
        return False
    return all(
        service_may(service, action, key["Arn"], key["Policy"], source_arn=source_arn)
        for action in ("kms:GenerateDataKey", "kms:Decrypt")
    )


def role_may(service: str, role_arn: str, actions: Mapping[str, str], *, source_arn: str) -> bool:
    """Tell whether `service` may assume the role and do the actions with it: name -> resource."""
    account, name = parse_arn(role_arn).account_id, role_arn.rpartition("/")[2]
    role = iam._roles.get_scoped(account, None, name)
    if role is None or not service_may(
        service,
        "sts:AssumeRole",
        role_arn,
        role["AssumeRolePolicyDocument"],
        source_arn=source_arn,
    ):
        return False
    policies = iam_evaluator._gather_role_policies(name, account)
    boundary = iam_evaluator._permissions_boundary(iam._roles, name, account)
    return all(
        iam_evaluator.evaluate(
            _context(
                action,
                resource,
                principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/{service}",
                principal_type="AssumedRole",
                principal_account=account,
            ),
            policies,
            *boundary,
        ).decision
        == "Allow"
        for action, resource in actions.items()
    )


def may_publish(
    service: str, topic_arn: str, *, source_arn: str, conditions: Mapping[str, str] | None = None
) -> bool:
    """Tell whether the topic's policy lets `service` publish, and its key encrypt for it."""
    topic = (sns._topic_by_arn_any_scope(topic_arn) or {}).get("attributes", {})
    key = topic.get("KmsMasterKeyId")
    return service_may(
        service,
        "sns:Publish",
        topic_arn,
        topic.get("Policy"),
        source_arn=source_arn,
        conditions=conditions,
    ) and (not key or service_may_encrypt(service, key, source_arn=source_arn))


def may_invoke(service: str, function_arn: str, *, source_arn: str) -> bool:
    """Return whether the policy of a function, a version or an alias lets `service` invoke it."""
    function, _, _ = lambda_svc._get_base_func_record_for_ref(function_arn)  # it has them all
    return service_may(
        service,
        "lambda:InvokeFunction",
        function_arn,
        (function or {}).get("policy"),
        source_arn=source_arn,
    )


def policy_allows_caller(policy: Policy, action: str, resource: str) -> bool:
    """Return whether a resource's policy allows the caller an action, itself or by its account."""
    context = _context(
        action,
        resource,
        principal_arn=iam_evaluator.caller_arn(),
        principal_type="",
        principal_account=get_account_id(),
    )
    return bool(iam_evaluator.evaluate_resource_policy(policy, context).decision == "Allow")


def encryption_context_keys(encryption_context: dict[str, str]) -> dict[str, str]:
    """Return the condition keys of an encryption context."""
    return {f"kms:EncryptionContext:{name}": value for name, value in encryption_context.items()}


def _context(action: str, resource: str, **principal: Any) -> Any:  # noqa: ANN401 (ministack's)
    return iam_evaluator.EvalContext(
        action=action, resource_arn=resource, region=get_region(), **principal
    )
