"""Secrets Manager: a staging label is on one version, and AWSCURRENT always on one."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json

from ministack.services import secretsmanager

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response, json_response, succeeded
from local.emulator.secretsmanager.shared import CURRENT, Data, Handler, has_value, usable_secret


@replaces(secretsmanager, "_put_secret_value")
def move_labels(original: Handler, data: Data) -> Response:
    """Move the labels of `VersionStages` to the new version.

    ministack leaves them on the old version, too.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
    """
    secret = usable_secret(data)
    token = data.get("ClientRequestToken")
    repeated = secret is not None and has_value(secret["Versions"].get(token, {}))
    response = original(data)
    if secret is None or repeated or not succeeded(response):
        return response
    answer = json.loads(response[2])
    version_id = answer["VersionId"]
    for stage in set(data.get("VersionStages", [])) - {CURRENT}:
        secretsmanager._remove_stage_everywhere(secret, stage, version_id)
        secretsmanager._add_stage(secret, version_id, stage)
    secretsmanager._sync_replicas(secret)
    return json_response(
        answer | {"VersionStages": list(secret["Versions"][version_id]["Stages"])}
    )


@replaces(secretsmanager, "_put_secret_value")
def make_first_version_current(original: Handler, data: Data) -> Response:
    """Give the first version of a secret AWSCURRENT, whatever labels are asked for.

    ministack gives it to the version only if it is asked for, or if no label is.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
    """
    secret, stages = usable_secret(data), data.get("VersionStages")
    if secret is not None and not secret["Versions"] and stages and CURRENT not in stages:
        data = {**data, "VersionStages": [*stages, CURRENT]}
    return original(data)


@replaces(secretsmanager, "_update_secret_version_stage")
def keep_current_label(original: Handler, data: Data) -> Response:
    """Refuse to leave a secret without a current version, or to guess which version loses it.

    ministack removes the label AWSCURRENT, and has other words for the second.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
    """
    stage, target = data.get("VersionStage"), data.get("MoveToVersionId")
    if stage == CURRENT and not target:
        return error_response(
            "InvalidParameterException",
            f"You can only move staging label {CURRENT} to a different secret version. "
            "It can't be completely removed.",
        )
    secret = usable_secret(data)
    if secret is None or target not in secret["Versions"] or data.get("RemoveFromVersionId"):
        return original(data)
    holder, _ = secretsmanager._find_stage_version(secret, stage)
    if holder in (None, target):
        return original(data)
    return error_response(
        "InvalidParameterException",
        f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently "
        f"attached to version {holder}, so you must explicitly reference that version in "
        "RemoveFromVersionId.",
    )
