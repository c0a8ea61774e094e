"""Versions of a secret: they stay without labels, name their key, and are listed by their age."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import base64
import json
import time
from collections.abc import Callable

from ministack.services import secretsmanager

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, json_response, succeeded
from local.emulator.secretsmanager.shared import (
    CURRENT,
    PENDING,
    PREVIOUS,
    Data,
    Handler,
    key_of_version,
    usable_secret,
)

# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
KEPT_VERSIONS = 100
KEPT_SECONDS = 24 * 60 * 60
DEFAULT_KEY = "DefaultEncryptionKey"


@replaces(secretsmanager, "_apply_current_promotion")
def keep_versions_without_labels(
    original: Callable[[Data, str], None], secret: Data, version_id: str
) -> None:
    """Keep the version that loses its last label, as long as it is new or among the last 100.

    ministack deletes it at once.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
    """
    versions = dict(secret["Versions"])
    original(secret, version_id)
    oldest_first = sorted(versions, key=lambda each: float(versions[each]["CreatedDate"]))
    for outdated in oldest_first[:-KEPT_VERSIONS]:
        version = versions[outdated]
        if not version["Stages"] and version["CreatedDate"] < time.time() - KEPT_SECONDS:
            del versions[outdated]
    secret["Versions"] = versions


@replaces(secretsmanager, "_update_secret")
def encrypt_labelled_versions_again(original: Handler, data: Data) -> Response:
    """Encrypt the current, previous and pending version with a new key; others keep theirs.

    In ministack a version has no key.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html
    """
    secret = usable_secret(data)
    old_key = (secret or {}).get("KmsKeyId")
    response = original(data)
    if secret is not None and "KmsKeyId" in data and succeeded(response):
        for version in secret["Versions"].values():
            if {CURRENT, PENDING, PREVIOUS} & set(version["Stages"]):
                version.pop("KmsKeyId", None)
            else:
                version.setdefault("KmsKeyId", old_key)
    return response


@replaces(secretsmanager, "_list_secret_version_ids")
def list_versions_by_age(original: Handler, data: Data) -> Response:
    """List the newest version first, with its key; those without a label only if asked for.

    ministack lists all, by their ids, without keys, and with an empty list for no labels.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecretVersionIds.html
    """
    response = original(data)
    if not succeeded(response):
        return response
    _, secret = secretsmanager._resolve(data["SecretId"])
    newest_first = sorted(
        secret["Versions"].items(), key=lambda each: float(each[1]["CreatedDate"]), reverse=True
    )
    entries = [
        _entry(secret, version_id, version)
        for version_id, version in newest_first
        if version["Stages"] or data.get("IncludeDeprecated")
    ]
    start = int(base64.b64decode(data.get("NextToken", "")) or 0)
    end = start + min(data.get("MaxResults", 100), 100)
    answer = json.loads(response[2]) | {"Versions": entries[start:end]}
    answer.pop("NextToken", None)
    if end < len(entries):
        answer["NextToken"] = base64.b64encode(str(end).encode()).decode()
    return json_response(answer)


def _entry(secret: Data, version_id: str, version: Data) -> Data:
    optional = {
        "VersionStages": list(version["Stages"]),
        "LastAccessedDate": version.get("LastAccessedDate"),
    }
    return {
        "VersionId": version_id,
        "CreatedDate": version["CreatedDate"],
        "KmsKeyIds": [key_of_version(secret, version) or DEFAULT_KEY],
    } | {name: value for name, value in optional.items() if value}
