"""What AWS requires of the names that contain those of project and stack. Pure: no Pulumi.

Pulumi allows both 100 characters: letters, digits, hyphens, underscores and periods.
"""

import re
from collections.abc import Iterator

from ...aws import limits
from ..errors import ConfigError

# Aliases of keys: https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
# Dashboards: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
# KMS reserves `alias/aws/`, and Pulumi's provider rejects every alias that starts with `aws`:
# https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/kms/validate.go
_RESERVED = "aws"
# Trails: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
_TRAIL_PART = r"[A-Za-z0-9]+([_-][A-Za-z0-9]+)*"
_TRAIL_LENGTH = 128
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html, with room for what the
# names of log group, role, policy and alias add.
_LOGICAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


def logical(section: str, name: str) -> Iterator[ConfigError]:
    """Reject a logical name that cannot be part of resource names."""
    if not _LOGICAL.fullmatch(name):
        rule = "must have 1 to 40 letters, digits, - and _, and start with a letter or digit"
        yield ConfigError(f"{section}.{name}", f"{rule}; choose another name")


def errors(project: str, stack: str, *, has_trail: bool, has_parameters: bool) -> Iterator[str]:
    """Yield a line for each broken rule, with the remedy, which is not in the stack file.

    `has_trail` says whether there is a trail `<project>-<stack>`, `has_parameters` whether there
    are parameters `/<project>/<stack>/…`.
    """
    change, rename = "change `name` in Pulumi.yaml", "rename the stack"
    named = f"the project name {project!r}"
    for what, name, remedy in ((named, project, change), (f"stack {stack!r}", stack, rename)):
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            yield f"{what} may contain only letters, digits, - and _; {remedy}"
        elif has_trail and not re.fullmatch(_TRAIL_PART, name):
            rule = "must start and end with a letter or digit, without two adjacent - or _"
            why = "`audit.trail: own` names the trail after it"
            yield f"{what} {rule}, because {why}; {remedy}"
    if project.startswith(_RESERVED):
        yield f"{named} must not start with aws, because KMS reserves such aliases; {change}"
    elif has_parameters and limits.is_reserved_parameter(f"/{project}"):
        why = "Parameter Store reserves such names, and `parameters` begin with it"
        yield f"{named} must not start with aws or ssm, because {why}; {change}"
    trail = f"{project}-{stack}"
    if has_trail and len(trail) > _TRAIL_LENGTH:
        rule = f"must have at most {_TRAIL_LENGTH} characters, got {len(trail)}"
        yield f"the trail name {trail!r} (`audit.trail: own`) {rule}; {change}, or {rename}"
