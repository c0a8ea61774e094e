"""What the tool takes out of CloudFormation's database, on a made-up one as small as can be."""

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from tools import service_spec

RULE = {"type": "ref", "reference": {"$ref": "1"}}
DATABASE: dict[str, Any] = {
    "resource": {
        "entities": [
            {
                "cloudFormationType": name,
                "primaryIdentifier": ["Name"],
                "attributes": {"Arn": {"type": {"type": "string"}}},
                "properties": {
                    "Name": {
                        "type": {"type": "string"},
                        "required": True,
                        "causesReplacement": "yes",
                    },
                    "Kind": {
                        "type": {"type": "string", "allowedValues": ["A", "B"]},
                        "defaultValue": '"A"',
                    },
                    "Rules": {"type": {"type": "array", "element": RULE}},
                    "Text": {
                        "type": {"type": "union", "types": [{"type": "json"}, {"type": "string"}]},
                        "causesReplacement": "maybe",
                    },
                },
            }
            for name in service_spec.TYPES
            if name not in service_spec.PARTS
        ]
        + [
            {
                "cloudFormationType": name,
                "primaryIdentifier": ["Name"],
                "attributes": {},
                "properties": {
                    each: {"type": {"type": "string"}} for each in {*parts, "SomethingElse"}
                },
            }
            for name, parts in service_spec.PARTS.items()
        ]
    },
    "typeDefinition": {
        "entities": [
            {
                "$id": "1",
                "properties": {
                    "Status": {"type": {"type": "string"}, "required": True},
                    "And": {"type": RULE},
                },
            }
        ]
    },
}


def test_facts_are_taken_of_properties_and_of_what_is_nested_in_them() -> None:
    found = service_spec.facts(DATABASE)["AWS::KMS::Key"]
    assert found == {
        "identifier": ["Name"],
        "attributes": ["Arn"],
        "properties": {
            "Kind": {"default": "A", "enum": ["A", "B"]},
            "Name": {"required": True, "replaces": True},
            "Rules": {},
            "Rules[].And": {},
            "Rules[].Status": {"required": True},
            "Text": {"replaces": "maybe"},
        },
    }


def test_of_a_bucket_only_the_parts_are_taken_that_have_a_type_of_their_own() -> None:
    found = service_spec.facts(DATABASE)["AWS::S3::Bucket"]["properties"]
    assert set(found) == service_spec.PARTS["AWS::S3::Bucket"]


def test_the_database_is_read_out_of_the_packages_archive(tmp_path: Path) -> None:
    data = gzip.compress(json.dumps({"schema": DATABASE}).encode())
    with tarfile.open(tmp_path / "package.tgz", "w:gz") as archive:
        member = tarfile.TarInfo(service_spec.DATABASE)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    assert service_spec.database(tmp_path / "package.tgz") == DATABASE


def test_the_file_says_what_it_was_made_of_and_has_a_line_for_each_property() -> None:
    text = service_spec.WRITTEN.read_text(encoding="utf-8")
    spec = json.loads(text)
    assert spec["version"]
    assert spec["integrity"].startswith("sha512-")
    assert set(spec["types"]) == set(service_spec.TYPES)
    about = {key: value for key, value in spec.items() if key != "types"}
    assert service_spec.written(about, spec["types"]) == text
    assert len(text) < 150_000
