"""The wheel: what is in it, and that the components work outside the checkout."""

import json
import py_compile
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.aws import rds_certificates
from tests import wheel
from tests.recording import ROOT

# Imports every module of the installed package, and looks at what it finds in the other modules.
PROBE = """
import importlib, json, pkgutil, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of pulumi_aws
sys.path.insert(0, sys.argv[1])
import lambda_secrets
names = [each.name for each in pkgutil.walk_packages(lambda_secrets.__path__, "lambda_secrets.")]
modules = [importlib.import_module(name) for name in names if ".handler." not in name]
from lambda_secrets import own_files
from lambda_secrets.aws import rds_certificates
from lambda_secrets.config.shared import postgres_fields
from lambda_secrets.packaging import client, store
print(json.dumps({
    "files": [module.__file__ for module in [*modules, postgres_fields]],
    "packed": [str(path) for path in [*own_files.SEEDER.values(), rds_certificates.BUNDLE,
                                      *client.files(own_files.HANDLER).values()]],
    "regions": sorted(rds_certificates.regions()),
    "cache": str(store.DEFAULT),
    "of_checkout": sorted({"infra", "handler", "secret_client"} & set(sys.modules)),
}))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    py_compile.compile(str(ROOT / "infra/__init__.py"), doraise=True)  # bytecode to leave out
    return wheel.build(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_the_components_and_the_functions_sources_and_no_more(
    built: Path,
) -> None:
    sources = {"infra": wheel.PACKAGE, "handler": f"{wheel.PACKAGE}/handler"}
    expected = {
        f"{package}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, package in sources.items()
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".pem"} or path.name in {"layers.json", "py.typed"}
    }
    with zipfile.ZipFile(built) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
        about = {name.partition(".dist-info/")[2] for name in packed.namelist()} - {""}
    assert names == expected
    assert about == {"METADATA", "RECORD", "WHEEL", "licenses/LICENSE", "licenses/NOTICE"}
    assert list((ROOT / "infra").rglob("*.pyc")), "a control: the checkout has bytecode"


def test_the_installed_components_work_outside_the_checkout(built: Path, tmp_path: Path) -> None:
    site, folder = wheel.install(built, tmp_path / "site"), tmp_path / "program"
    folder.mkdir()
    done = subprocess.run(  # noqa: S603 (this Python)
        [sys.executable, "-I", "-c", PROBE, str(site)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert len(seen["files"]) > 80
    for path in map(Path, [*seen["files"], *seen["packed"]]):
        assert path.is_relative_to(site)
        assert path.is_file()
    assert seen["regions"] == sorted(rds_certificates.regions())
    assert seen["cache"] == str(folder / ".packages")
    assert seen["of_checkout"] == []
