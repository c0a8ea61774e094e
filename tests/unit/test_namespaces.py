"""Config in another namespace than the project's: what is meant for it is told from the rest."""

import re
from pathlib import Path

import pytest

from infra.config import namespaces
from infra.config.settings import SettingsError, load
from local.config import project
from local.engines.built_in import BuiltInEngine
from tests.recording import PROJECT, ROOT, Recording

OWN = {"secrets", "protection", "tags"}
VALID = "{database: {from: external}}"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        # A key of the schema, wherever it is.
        ("shop", "store:secrets"),
        ("shop", ":tags"),
        ("shop", "gcp:tags"),
        # A namespace close to the project's name, whatever the key.
        ("acme-secrets", "acme-secret:x"),
        ("acme-secrets", "acme-secretss:x"),
        ("acme-secrets", "acme_secrets:x"),
        ("acme-secrets", "amce-secrets:x"),
        ("acme-secrets", "Acme-Secrets:x"),
        ("acme-secrets", "ACME-SECRETS:x"),
        ("shop", "shops:x"),
        ("shop", "shp:x"),
    ],
)
def test_a_key_that_is_meant_for_the_project_is_found(tmp_path: Path, name: str, key: str) -> None:
    assert list(namespaces.mistaken(name, [key], OWN, tmp_path)) == [(key, key.split(":")[1])]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("shop", "shop:secrets"),
        ("shop", "shop:secrest"),  # the settings find it
        ("shop", "aws:tags"),
        ("shop", "pulumi:tags"),
        ("awsx", "aws:region"),
        ("aws2", "aws:region"),
        ("gcp1", "gcp:project"),
        ("vaults", "vault:address"),
        ("shop", "store:x"),
        ("shop", "chop2:x"),  # two letters of four are another word
        ("app", "gcp:x"),
        ("ab", "ac:x"),
        ("acme-secrets", "acme:x"),
    ],
)
def test_a_key_that_is_not_meant_for_the_project_passes(
    tmp_path: Path, name: str, key: str
) -> None:
    control = f"{name}{name[-1]}:secrets"
    found = list(namespaces.mistaken(name, [key, control], OWN, tmp_path))
    assert found == [(control, "secrets")]


@pytest.mark.parametrize("package", ["pulumi_shop_one", "pulumiverse_shop_one"])
def test_the_namespace_of_an_installed_package_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    keys = ["shop-one:tags", "shop-on:x"]
    assert len(list(namespaces.mistaken("shop-ones", keys, OWN, tmp_path))) == 2
    installed = tmp_path / f"{package}-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Name: {package}\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert list(namespaces.mistaken("shop-ones", keys, OWN, tmp_path)) == [("shop-on:x", "x")]


@pytest.mark.parametrize(
    "declaration",
    [
        "packages: {shop-one: shop-one@1.0.0}",
        "packages: {shop-one: {source: terraform-provider, parameters: [shop/one]}}",
        "plugins: {providers: [{name: shop-one, path: bin}]}",
    ],
)
def test_the_namespace_of_a_declared_package_is_its_own(tmp_path: Path, declaration: str) -> None:
    keys = ["shop-one:tags", "shop-on:x"]
    (tmp_path / "Pulumi.yaml").write_text("name: shop-ones\n")
    assert len(list(namespaces.mistaken("shop-ones", keys, OWN, tmp_path))) == 2
    (tmp_path / "Pulumi.yaml").write_text(f"name: shop-ones\n{declaration}\n")
    assert list(namespaces.mistaken("shop-ones", keys, OWN, tmp_path)) == [("shop-on:x", "x")]


def stack(folder: Path, config: str, name: str = PROJECT) -> project.Stack:
    """Load a stack of the project, under a name, from a file's text."""
    text = (ROOT / "Pulumi.yaml").read_text(encoding="utf-8")
    (folder / "Pulumi.yaml").write_text(text.replace(f"name: {PROJECT}", f"name: {name}", 1))
    (folder / "Pulumi.test.yaml").write_text(config)
    return project.load(folder, "test")


def faults(loaded: project.Stack) -> list[str]:
    with pytest.raises(SettingsError) as error:
        BuiltInEngine(Recording()).run(loaded, lambda: (load(), None)[1])
    return error.value.errors


def test_a_mistyped_namespace_is_told_with_what_to_write_and_the_rest(tmp_path: Path) -> None:
    typo = PROJECT[:-1]
    text = f"config:\n  aws:region: us-east-1\n  secrets: {VALID}\n  {typo}:protection: strict\n"
    first, *rest = faults(stack(tmp_path, text))
    assert first == (
        f"{typo}:protection is ignored, because the project is named {PROJECT!r}; write"
        " protection instead; fix it in Pulumi.test.yaml"
    )
    assert any("(strict protection)" in each for each in rest)  # checked as if it were in place


def test_a_key_that_is_given_twice_is_to_be_dropped(tmp_path: Path) -> None:
    text = f"config:\n  aws:region: us-east-1\n  secrets: {VALID}\n  old:secrets: {{}}\n"
    (found,) = faults(stack(tmp_path, text))
    assert found == (
        f"old:secrets is ignored, because the project is named {PROJECT!r}; remove it, because"
        " secrets is also set; fix it in Pulumi.test.yaml"
    )


def test_after_a_rename_each_key_left_is_told_and_no_consequence(tmp_path: Path) -> None:
    text = (ROOT / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    old, keys = re.subn(r"^  (\w+):(?=\s)", rf"  {PROJECT}:\1:", text, flags=re.MULTILINE)
    found = faults(stack(tmp_path, old, "acme"))
    assert len(found) == keys > 10
    assert all(
        " is ignored, because the project is named 'acme'; write " in each for each in found
    )


def test_an_encrypted_value_in_another_namespace_is_encrypted(tmp_path: Path) -> None:
    text = (
        "config:\n  aws:region: us-east-1\n  secrets: {database: {from: config}}\n"
        "  old:secretValues: {database: {secure: v1:a}}\n  old:tags: {a: {secure: v1:b}}\n"
    )
    found = faults(stack(tmp_path, text))
    assert [each.split(";")[0].split(" is ")[1].split(",")[0] for each in found] == [
        "ignored",
        "ignored",
        "encrypted",
    ]


@pytest.mark.parametrize("name", namespaces.RESERVED)
def test_a_project_named_like_pulumis_own_config_is_refused_in_plain_words(
    tmp_path: Path, name: str
) -> None:
    text = f"config:\n  aws:region: us-east-1\n  secrets: {VALID}\n"
    (found,) = faults(stack(tmp_path, text, name))
    reserved = f"the project name {name!r} is reserved: Pulumi keeps its own config under it"
    assert found == f"{reserved}; choose another name in Pulumi.yaml"


def test_other_namespaces_pass(tmp_path: Path) -> None:
    text = f"config:\n  aws:region: us-east-1\n  secrets: {VALID}\n  aws:defaultTags: {{}}\n"
    loaded = stack(tmp_path, f"{text}  gcp:project: x\n  pulumi:tags: {{}}\n", "gcp1")
    BuiltInEngine(Recording()).run(loaded, lambda: (load(), None)[1])
