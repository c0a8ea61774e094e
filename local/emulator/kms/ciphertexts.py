"""Ciphertexts of symmetric keys, by AES-GCM: they start with the key's id, which is authenticated.

A ciphertext is the key's id (36 characters), a nonce (12 bytes) and what AES-GCM makes of the
plaintext. AWS does not document its own form.
"""
# ruff: noqa: SLF001 (ministack's gaps sit behind private names)

import base64
import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from ministack.services import kms

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response, json_response, succeeded
from local.emulator.kms.shared import SYMMETRIC, Data, Handler

ID_CHARACTERS = 36
NONCE_BYTES = 12
TAG_BYTES = 16
_ID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")

Context = Mapping[str, str] | None


def key_id_of(ciphertext: bytes) -> str:
    """Return the id of the key that made a ciphertext; empty if it is of no symmetric key."""
    key_id = ciphertext[:ID_CHARACTERS]
    is_whole = len(ciphertext) > ID_CHARACTERS + NONCE_BYTES + TAG_BYTES
    return key_id.decode() if is_whole and _ID.fullmatch(key_id) else ""


def encrypt(key: Data, plaintext: bytes, context: Context) -> bytes:
    """Encrypt with the current material of a symmetric key."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(key["_symmetric_key"]).encrypt(nonce, plaintext, _authenticated(key, context))
    return bytes(key["KeyId"].encode() + nonce + sealed)


def decrypt(key: Data, ciphertext: bytes, context: Context) -> tuple[bytes, bytes] | None:
    """Return the plaintext and the material that opens it; None if no material of the key does."""
    start = ID_CHARACTERS + NONCE_BYTES
    nonce, sealed = ciphertext[ID_CHARACTERS:start], ciphertext[start:]
    for material in (key["_symmetric_key"], *key.get("_previous_materials", ())):
        try:
            opened = AESGCM(material).decrypt(nonce, sealed, _authenticated(key, context))
        except InvalidTag:
            continue
        return opened, material
    return None


def _authenticated(key: Data, context: Context) -> bytes:
    return json.dumps([key["KeyId"], dict(context or {})], sort_keys=True).encode()


@replaces(kms, "_encrypt")
def authenticate_ciphertext(original: Handler, data: Data) -> Response:
    """Encrypt by AES-GCM, and only with a key that is for encryption.

    ministack's ciphertext is not authenticated: another key or a changed bit gives another
    plaintext.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html
    """
    key = kms._resolve_key(data.get("KeyId", ""))
    if key is not None and key["KeyUsage"] != "ENCRYPT_DECRYPT":
        return error_response(
            "InvalidKeyUsageException",
            f"{key['Arn']} key usage is {key['KeyUsage']} which is not valid for Encrypt.",
        )
    response = original(data)
    if key is None or key["KeySpec"] != SYMMETRIC or not succeeded(response):
        return response
    sealed = encrypt(key, base64.b64decode(data["Plaintext"]), data.get("EncryptionContext"))
    return json_response(json.loads(response[2]) | {"CiphertextBlob": _text(sealed)})


@replaces(kms, "_decrypt")
def refuse_changed_ciphertext(original: Handler, data: Data) -> Response:
    """Refuse a ciphertext that was changed, is of another key, or of another context.

    ministack answers with garbage.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html
    """
    named = kms._resolve_key(data.get("KeyId", ""))
    if named is not None and named["KeyUsage"] != "ENCRYPT_DECRYPT":
        return _incorrect_key()
    if data.get("KeyId") and (named is None or named["KeySpec"] != SYMMETRIC):
        return original(data)  # there is no such key, or it is an RSA key
    ciphertext = base64.b64decode(data["CiphertextBlob"])
    key = kms._resolve_key(key_id_of(ciphertext))
    if key is not None and named is not None and named["KeyId"] != key["KeyId"]:
        return _incorrect_key()
    return _decrypted(key, ciphertext, data.get("EncryptionContext"))


def _decrypted(key: Data | None, ciphertext: bytes, context: Context) -> Response:
    if key is None:
        return error_response("InvalidCiphertextException", "")
    refusal: Response | None = kms._check_key_state(key)
    if refusal:
        return refusal
    opened = decrypt(key, ciphertext, context)
    if opened is None:
        return error_response("InvalidCiphertextException", "")
    plaintext, material = opened
    return json_response(
        {
            "KeyId": key["Arn"],
            "Plaintext": _text(plaintext),
            "EncryptionAlgorithm": SYMMETRIC,
            "KeyMaterialId": kms._key_material_id(key | {"_symmetric_key": material}),
        }
    )


def _incorrect_key() -> Response:
    return error_response(
        "IncorrectKeyException",
        "The key ID in the request does not identify a CMK that can perform this operation.",
    )


@replaces(kms, "_generate_data_key_common")
def authenticate_data_key(
    original: Callable[..., tuple[Any, Any, Any]], data: Data, *names: str
) -> tuple[Any, Any, Any]:
    """Encrypt a data key as Encrypt does.

    ministack does not authenticate it.
    """
    key, data_key, other = original(data, *names)
    if key is None:
        return key, data_key, other
    return key, data_key, encrypt(key, data_key, data.get("EncryptionContext"))


@replaces(kms, "_generate_data_key_pair_common")
def authenticate_private_key(
    original: Callable[..., tuple[Any, Any, Any]], data: Data, *names: str
) -> tuple[Any, Any, Any]:
    """Encrypt the private key of a data key pair as Encrypt does.

    ministack does not authenticate it.
    """
    payload, private_key, error = original(data, *names)
    if payload is not None:
        key = kms._resolve_key(data["KeyId"])
        sealed = encrypt(key, private_key, data.get("EncryptionContext"))
        payload["PrivateKeyCiphertextBlob"] = _text(sealed)
    return payload, private_key, error


@replaces(kms, "_generate_data_key")
@replaces(kms, "_generate_data_key_without_plaintext")
def require_one_size(original: Handler, data: Data) -> Response:
    """Refuse a data key whose size is stated twice or not at all.

    ministack takes the number of bytes, or 32.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html
    """
    if ("KeySpec" in data) == ("NumberOfBytes" in data):
        return error_response(
            "ValidationException", "Please specify either number of bytes or key spec."
        )
    return original(data)


def _text(blob: bytes) -> str:
    return base64.b64encode(blob).decode()
