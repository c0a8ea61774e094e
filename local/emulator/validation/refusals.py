"""The code and the text with which a service refuses parameters that violate its model."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from local.emulator.validation.constraints import NOT_NULL, Violation, too_long
from local.emulator.validation.deviations import DEVIATIONS, LIMITS

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


def refusal(
    service: str, operation: str, values: Mapping[str, Any], violations: Sequence[Violation]
) -> Refusal | None:
    """Return the error for a request with these values and violations; None if it is valid."""
    for limit in LIMITS.get(service, ()):
        text = values.get(limit.parameter, "")
        is_meant = limit.operation == operation and limit.pattern.fullmatch(text)
        if is_meant and len(text) > limit.characters:
            return _list_all([too_long(limit.parameter, text, limit.characters)], limit.code)
    own = [_own_answer(service, operation, violation) for violation in violations]
    others = [each for each, answer in zip(violations, own, strict=True) if answer is None]
    if others:
        form = _FORMS.get(service, _list_all)
        return form(others, CODES.get(service, "ValidationException"))
    return own[0] if own else None


def malformed(service: str) -> Refusal:
    """Return the error for a body that cannot be read, or has a value of another type."""
    return _malformed_xml() if service == "s3" else Refusal("SerializationException", "")


def _own_answer(service: str, operation: str, violation: Violation) -> Refusal | None:
    for row in DEVIATIONS.get(service, ()):
        is_meant = not row.operations or operation in row.operations
        if is_meant and (row.path, row.kind) == (violation.path, violation.kind):
            return Refusal(row.code, row.message.format(**violation._asdict()))
    return None


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


def _for_lambda(violations: Sequence[Violation], code: str) -> Refusal:
    """Lambda also lists that items are not null."""
    listed = [
        each._replace(constraint=f"{each.constraint[:-1]}, {NOT_NULL}]")
        if " must satisfy constraint: [" in each.constraint
        else each
        for each in violations
    ]
    return _list_all(listed, code)


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


_FORMS = {
    "cloudwatch": _for_cloudwatch,
    "ec2": _for_ec2,
    "lambda": _for_lambda,
    "s3": _for_s3,
}
