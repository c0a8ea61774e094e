"""The functions of the provider, which only read."""

from collections.abc import Callable, Mapping
from typing import Any

from local.provider.resource import RejectedError, Session

Args = Mapping[str, Any]


def _caller_identity(session: Session, _: Args) -> dict[str, Any]:
    identity = session.client("sts").get_caller_identity()
    return {
        "id": identity["Account"],
        "accountId": identity["Account"],
        "arn": identity["Arn"],
        "userId": identity["UserId"],
    }


def _subnet(session: Session, args: Args) -> dict[str, Any]:
    (subnet,) = session.client("ec2").describe_subnets(SubnetIds=[args["id"]])["Subnets"]
    return {
        "id": subnet["SubnetId"],
        "vpcId": subnet["VpcId"],
        "availabilityZone": subnet["AvailabilityZone"],
    }


def _alias(session: Session, args: Args) -> dict[str, Any]:
    kms = session.elsewhere(args.get("region") or session.region).client("kms")
    for page in kms.get_paginator("list_aliases").paginate():
        for alias in page["Aliases"]:
            if alias["AliasName"] == args["name"]:
                key = kms.describe_key(KeyId=args["name"])["KeyMetadata"]
                return {
                    "id": alias["AliasArn"],
                    "arn": alias["AliasArn"],
                    "name": args["name"],
                    "targetKeyArn": key["Arn"],
                    "targetKeyId": key["KeyId"],
                }
    raise RejectedError(f"reading KMS Alias ({args['name']}): couldn't find resource")


def _secret_versions(session: Session, args: Args) -> dict[str, Any]:
    answer = session.client("secretsmanager").list_secret_version_ids(
        SecretId=args["secretId"], IncludeDeprecated=bool(args.get("includeDeprecated"))
    )
    return {
        "id": answer["ARN"],
        "arn": answer["ARN"],
        "name": answer["Name"],
        "secretId": args["secretId"],
        "versions": [
            {"versionId": each["VersionId"], "versionStages": each.get("VersionStages", [])}
            for each in answer["Versions"]
        ],
    }


def _parameter(session: Session, args: Args) -> dict[str, Any]:
    found = session.client("ssm").get_parameter(
        Name=args["name"], WithDecryption=args.get("withDecryption", True)
    )["Parameter"]
    return {
        "id": found["Name"],
        "arn": found["ARN"],
        "insecureValue": "" if found["Type"] == "SecureString" else found["Value"],
        "name": found["Name"],
        "type": found["Type"],
        "value": found["Value"],
        "version": found["Version"],
    }


def _parameters_by_path(session: Session, args: Args) -> dict[str, Any]:
    pages = (
        session.client("ssm")
        .get_paginator("get_parameters_by_path")
        .paginate(
            Path=args["path"],
            Recursive=bool(args.get("recursive")),
            WithDecryption=args.get("withDecryption", True),
        )
    )
    found = [each for page in pages for each in page["Parameters"]]
    return {
        "id": args["path"],
        "path": args["path"],
        "arns": [each["ARN"] for each in found],
        "names": [each["Name"] for each in found],
        "types": [each["Type"] for each in found],
        "values": [each["Value"] for each in found],
    }


FUNCTIONS: dict[str, Callable[[Session, Args], dict[str, Any]]] = {
    "aws:ec2/getSubnet:getSubnet": _subnet,
    "aws:kms/getAlias:getAlias": _alias,
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:secretsmanager/getSecretVersions:getSecretVersions": _secret_versions,
    "aws:ssm/getParameter:getParameter": _parameter,
    "aws:ssm/getParametersByPath:getParametersByPath": _parameters_by_path,
}
