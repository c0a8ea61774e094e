"""`python -m tools.service_spec`: extracts facts about our types from CloudFormation's schemas.

Writes tests/provider/cloudformation.json from npm's `@aws-cdk/aws-service-spec`, the database that
the AWS CDK is generated from. Run it by hand, once a year or for a new type: `npm` downloads the
package from the configured registry and verifies it.
"""

import argparse
import gzip
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.jobs import ROOT

PACKAGE = "@aws-cdk/aws-service-spec"
DATABASE = "package/db.json.gz"
WRITTEN = ROOT / "tests/provider/cloudformation.json"
TYPES = (
    "AWS::CloudTrail::Trail",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::VPCEndpoint",
    "AWS::Events::Rule",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::IAM::RolePolicy",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicInlinePolicy",
    "AWS::SSM::Parameter",
    "AWS::SecretsManager::ResourcePolicy",
    "AWS::SecretsManager::RotationSchedule",
    "AWS::SecretsManager::Secret",
)
# For S3's bucket, only the properties that our types cover; the rest would triple the file.
PARTS = {
    "AWS::S3::Bucket": {
        "BucketEncryption",
        "BucketName",
        "LifecycleConfiguration",
        "ObjectLockEnabled",
        "OwnershipControls",
        "PublicAccessBlockConfiguration",
        "Tags",
        "VersioningConfiguration",
    }
}

Entity = Mapping[str, Any]


def main() -> int:
    """Download the database, select the facts, and write them."""
    parser = argparse.ArgumentParser(prog="python -m tools.service_spec", description=__doc__)
    parser.add_argument("version", nargs="?", default="latest", help="of the npm package")
    version = parser.parse_args().version
    with tempfile.TemporaryDirectory() as folder:
        packed = download(f"{PACKAGE}@{version}", Path(folder))
        found = facts(database(Path(folder) / packed["filename"]))
    about = {"package": PACKAGE, "version": packed["version"], "integrity": packed["integrity"]}
    WRITTEN.write_text(written(about, found), encoding="utf-8")
    print(f"{WRITTEN.relative_to(ROOT)}: {len(found)} types of {PACKAGE} {packed['version']}")
    return 0


def download(package: str, folder: Path) -> dict[str, Any]:
    """Download the package's archive into the folder; return npm's description of it.

    Raises:
        subprocess.CalledProcessError: npm failed, and has printed why.

    """
    ended = subprocess.run(  # noqa: S603 (npm, from the PATH)
        ["npm", "pack", "--json", "--pack-destination", str(folder), package],  # noqa: S607 (npm, from the PATH)
        stdout=subprocess.PIPE,
        check=True,
    )
    said = json.loads(ended.stdout)
    (packed,) = said if isinstance(said, list) else said.values()  # npm 11 returns a map by name
    return dict(packed)


def database(archive: Path) -> Entity:
    """Return the tables of the database in the package's archive."""
    with tarfile.open(archive) as package, gzip.open(package.extractfile(DATABASE)) as text:  # type: ignore[arg-type]
        schema: Entity = json.load(text)["schema"]
    return schema


def facts(schema: Entity) -> dict[str, Any]:
    """Return the facts about the properties of our types, and the names of their attributes.

    A property of a nested type is `Rules[].Status`. Facts that the database does not have are
    omitted: not required, never replaces, no default, no closed set of values.
    """
    resources = {each["cloudFormationType"]: each for each in schema["resource"]["entities"]}
    nested = {each["$id"]: each for each in schema["typeDefinition"]["entities"]}
    found = {}
    for name in TYPES:
        resource = resources[name]
        parts = PARTS.get(name, set(resource["properties"]))
        properties = {key: resource["properties"][key] for key in sorted(parts)}
        found[name] = {
            "identifier": resource["primaryIdentifier"],
            "attributes": sorted(resource["attributes"]),
            "properties": dict(flattened(properties, nested, "", ())),
        }
    return found


def flattened(
    properties: Entity, nested: Entity, prefix: str, above: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the path and the facts of each property, outer ones first."""
    for name, each in sorted(properties.items()):
        path = prefix + name
        type_, is_list = each["type"], False
        while type_["type"] in {"array", "map"}:
            type_, is_list = type_["element"], True
        fact = {
            "required": each.get("required"),
            "replaces": {"yes": True, "maybe": "maybe"}.get(each.get("causesReplacement", "no")),
            "default": json.loads(each["defaultValue"]) if "defaultValue" in each else None,
            "enum": type_.get("allowedValues"),
        }
        yield path, {key: value for key, value in fact.items() if value is not None}
        for inner in type_.get("types", [type_]):
            id_ = inner.get("reference", {}).get("$ref")
            if id_ and id_ not in above:
                inside = f"{path}{'[]' if is_list else ''}."
                yield from flattened(nested[id_]["properties"], nested, inside, (*above, id_))


def written(about: Mapping[str, str], found: Mapping[str, Any]) -> str:
    """Format the file with a line for each property, so that a diff shows what changed."""
    lines = [f'  "{key}": {json.dumps(value)},' for key, value in about.items()]
    types = []
    for name, type_ in found.items():
        properties = ",\n".join(
            f"        {json.dumps(path)}: {json.dumps(fact)}"
            for path, fact in type_["properties"].items()
        )
        types.append(
            f'    "{name}": {{\n'
            f'      "identifier": {json.dumps(type_["identifier"])},\n'
            f'      "attributes": {json.dumps(type_["attributes"])},\n'
            f'      "properties": {{\n{properties}\n      }}\n    }}'
        )
    return "\n".join(["{", *lines, '  "types": {', ",\n".join(types), "  }", "}", ""])


if __name__ == "__main__":
    sys.exit(main())
