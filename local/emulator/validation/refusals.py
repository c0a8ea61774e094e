"""The code and the text with which a service refuses parameters that violate its model."""

from collections.abc import Sequence
from typing import NamedTuple

from local.emulator.validation.constraints import Violation

CODES = {
    "cloudwatch": "ValidationError",
    "iam": "ValidationError",
    "logs": "InvalidParameterException",
    "sns": "ValidationError",
    "sts": "ValidationError",
}
"""Service -> the code of its validation errors, where that is not `ValidationException`."""


class Refusal(NamedTuple):
    """An error of a service; its HTTP status is 400."""

    code: str
    message: str


def refusal(service: str, violations: Sequence[Violation]) -> Refusal:
    """Return the error for the violations of a request, of which there is at least one."""
    form = _FORMS.get(service, _list_all)
    return form(violations, CODES.get(service, "ValidationException"))


def malformed(service: str) -> Refusal:
    """Return the error for a body that cannot be read, or has a value of another type."""
    if service == "s3":
        return _malformed_xml()
    return Refusal("SerializationException", "")


def _list_all(violations: Sequence[Violation], code: str) -> Refusal:
    many = "" if len(violations) == 1 else "s"
    text = "; ".join(map(str, violations))
    return Refusal(code, f"{len(violations)} validation error{many} detected: {text}")


def _for_cloudwatch(violations: Sequence[Violation], code: str) -> Refusal:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html."""
    for violation in violations:
        if violation.kind == "missing":
            name = _upper(violation.path)
            return Refusal("MissingParameter", f"The parameter {name} is required.")
    return _list_all(violations, code)


def _for_ec2(violations: Sequence[Violation], _code: str) -> Refusal:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html."""
    violation = violations[0]
    name = _upper(violation.path.replace(".member", ""))
    if violation.kind == "missing":
        return Refusal("MissingParameter", f"The request must contain the parameter {name}")
    text = f"Value ({violation.value}) for parameter {name} is invalid. {violation.constraint}"
    return Refusal("InvalidParameterValue", text)


def _for_s3(_violations: Sequence[Violation], _code: str) -> Refusal:
    return _malformed_xml()


def _malformed_xml() -> Refusal:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html."""
    return Refusal(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published "
        "schema",
    )


def _upper(path: str) -> str:
    return ".".join(part[:1].upper() + part[1:] for part in path.split("."))


_FORMS = {"cloudwatch": _for_cloudwatch, "ec2": _for_ec2, "s3": _for_s3}
