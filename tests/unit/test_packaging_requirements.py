"""Requirements, resolved and installed by the real uv, from a folder of wheels and no network."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.packaging import requirement_files, runtimes, uv
from infra.packaging.requirements import RequirementsError, is_lock, lock_path, wheels
from infra.packaging.runtimes import Platform, Version
from tests.unit.packaging_support import ARM, X86, library, tree, wheel

P313 = Platform(Version(3, 13), "arm64")
P311 = Platform(Version(3, 11), "x86_64")


@pytest.fixture
def index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Make a folder of wheels the only index that uv knows."""
    folder = tree(tmp_path / "index", {})
    wheel(folder, "pure", {"pure/__init__.py": "x = 1"}, requires=("leaf>=1",))
    wheel(folder, "leaf", {"leaf.py": "y = 1"})
    wheel(folder, "leaf", {"leaf.py": "y = 2"}, version="2.0")
    for tag, machine in (("aarch64", ARM), ("x86_64", X86)):
        for python in ("311", "313"):
            name = f"native/core.cpython-{python}-{tag}-linux-gnu.so"
            wheel(
                folder,
                "native",
                {name: library(machine)},
                tag=f"cp{python}-cp{python}-manylinux2014_{tag}",
            )
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    # It keeps what uv asked of each Python. Wheels are kept by their path.
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "uv"))
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tree(tmp_path / "project", {"requirements.txt": "pure\nnative==1.0  # why\n"})


def refusal(path: Path, platform: Platform, cache: Path) -> list[str]:
    with pytest.raises(RequirementsError) as refused:
        wheels(path, platform, cache)
    assert not list(cache.glob("wheels/*")), "what is not whole is not kept"
    return list(map(str, refused.value.args))


@pytest.mark.usefixtures("index")
def test_wheels_are_those_of_the_functions_platform(project: Path, tmp_path: Path) -> None:
    for platform, library_name in (
        (P313, "native/core.cpython-313-aarch64-linux-gnu.so"),
        (P311, "native/core.cpython-311-x86_64-linux-gnu.so"),
    ):
        files = wheels(project / "requirements.txt", platform, tmp_path / "cache")
        assert {name for name in files if "dist-info" not in name} == {
            "pure/__init__.py",
            "leaf.py",
            library_name,
        }
    assert {path.name for path in project.iterdir()} == {
        "requirements.txt",
        "requirements.python3.11-x86_64.lock",
        "requirements.python3.13-arm64.lock",
    }


@pytest.mark.usefixtures("index")
def test_nothing_of_the_installation_is_packed(project: Path, tmp_path: Path) -> None:
    files = wheels(project / "requirements.txt", P313, tmp_path / "cache")
    assert {name.rpartition("/")[2] for name in files if "dist-info" in name} == {
        "METADATA",
        "WHEEL",
        "entry_points.txt",
    }
    assert not [name for name in files if name.startswith(("bin/", "."))]
    assert not [path for path in files.values() if str(tmp_path).encode() in path.read_bytes()]


@pytest.mark.usefixtures("index")
def test_a_lock_has_every_version_and_hash_and_nothing_of_this_machine(
    project: Path, tmp_path: Path
) -> None:
    wheels(project / "requirements.txt", P313, tmp_path / "cache")
    text = lock_path(project / "requirements.txt", P313).read_text()
    assert re.findall(r"^\w\S*", text, re.MULTILINE) == ["leaf==2.0", "native==1.0", "pure==1.0"]
    assert text.count("--hash=sha256:") >= 3
    assert text.startswith(
        "# requirements.txt, resolved by uv for python3.13 on arm64 (aarch64-manylinux_2_34).\n"
        "# Commit this file."
    )
    assert str(tmp_path) not in text


def test_a_lock_is_kept_until_the_requirements_change(
    project: Path, index: Path, tmp_path: Path
) -> None:
    path = project / "requirements.txt"
    tree(project, {"requirements.txt": "-r more/base.txt\n", "more/base.txt": "leaf<2\n"})
    wheels(path, P313, tmp_path / "cache")
    first = lock_path(path, P313).read_text()
    assert "leaf==1.0" in first
    wheel(index, "leaf", {"leaf.py": "y = 1.5"}, version="1.5")
    wheels(path, P313, tmp_path / "cache")
    assert lock_path(path, P313).read_text() == first
    tree(project, {"more/base.txt": "# older\r\nleaf<2\r\n"})
    wheels(path, P313, tmp_path / "cache")
    assert lock_path(path, P313).read_text() == first
    tree(project, {"more/base.txt": "leaf<2\npure\n"})
    files = wheels(path, P313, tmp_path / "cache")
    assert "pure/__init__.py" in files
    changed = lock_path(path, P313).read_text()
    assert "leaf==1.0" in changed, "versions stay where they can"
    tree(project, {"more/base.txt": "leaf>=2\n"})
    assert wheels(path, P313, tmp_path / "cache")["leaf.py"].read_text() == "y = 2"


def test_what_was_fetched_once_needs_neither_network_nor_uv(
    project: Path, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = wheels(project / "requirements.txt", P313, tmp_path / "cache")
    shutil.rmtree(index)
    monkeypatch.setattr(uv, "find", lambda: None)
    assert wheels(project / "requirements.txt", P313, tmp_path / "cache") == first


@pytest.mark.usefixtures("index")
def test_a_wheel_of_another_content_than_locked_is_refused(project: Path, tmp_path: Path) -> None:
    path = project / "requirements.txt"
    wheels(path, P313, tmp_path / "cache")
    lock = lock_path(path, P313)
    lock.write_text(re.sub(r"sha256:\w{8}", "sha256:" + "0" * 8, lock.read_text()))
    (message,) = refusal(path, P313, tmp_path / "other")
    assert message.startswith("cannot be installed for python3.13 on arm64")
    assert "hash" in message.lower()
    assert message.endswith("; delete the lock file to resolve the requirements again")


@pytest.mark.usefixtures("index")
def test_a_lock_without_a_hash_is_refused(project: Path, tmp_path: Path) -> None:
    path = project / "requirements.txt"
    wheels(path, P313, tmp_path / "cache")
    lock = lock_path(path, P313)
    lock.write_text(re.sub(r" \\\n +--hash=\S+", "", lock.read_text()))
    assert "==" in lock.read_text()
    (message,) = refusal(path, P313, tmp_path / "other")
    assert "--require-hashes" in message


def test_two_runs_at_once_install_one_folder(project: Path, index: Path, tmp_path: Path) -> None:
    assert index.is_dir()
    path = project / "requirements.txt"
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda _: wheels(path, P313, tmp_path / "cache"), range(2))
    assert one == two
    assert len(list((tmp_path / "cache/wheels").iterdir())) == 1


def test_a_requirement_without_a_wheel_for_the_platform_is_named(
    project: Path, index: Path, tmp_path: Path
) -> None:
    wheel(index, "rare", {"rare.py": ""}, tag="cp313-cp313-manylinux_2_34_x86_64")
    tree(project, {"requirements.txt": "rare\n"})
    path = project / "requirements.txt"
    (message,) = refusal(path, P313, tmp_path / "cache")
    assert message.startswith(
        "cannot be resolved for python3.13 on arm64 (aarch64-manylinux_2_34): "
    )
    assert "rare" in message
    assert "use a version that has a wheel for this platform" in message
    fits = Platform(Version(3, 13), "x86_64")
    assert "rare.py" in wheels(path, fits, tmp_path / "cache")


def test_a_wheel_for_a_newer_c_library_is_not_taken(
    project: Path, index: Path, tmp_path: Path
) -> None:
    wheel(index, "new", {"new.py": ""}, tag="py3-none-manylinux_2_28_x86_64")
    tree(project, {"requirements.txt": "new\n"})
    path = project / "requirements.txt"
    assert "new" in refusal(path, P311, tmp_path / "cache")[0]
    on_2023 = Platform(Version(3, 12), "x86_64")
    assert "new.py" in wheels(path, on_2023, tmp_path / "cache")


def test_a_wheel_that_lies_about_its_platform_is_refused(
    project: Path, index: Path, tmp_path: Path
) -> None:
    wheel(index, "liar", {"liar.so": library(X86)}, tag="py3-none-manylinux2014_aarch64")
    tree(project, {"requirements.txt": "liar\n"})
    assert refusal(project / "requirements.txt", P313, tmp_path / "cache") == [
        "contains liar.so, which is built for x86_64; the function needs python3.13 on arm64"
    ]


@pytest.mark.usefixtures("index")
def test_a_requirement_that_does_not_exist_is_named(project: Path, tmp_path: Path) -> None:
    tree(project, {"requirements.txt": "no-such-thing\n"})
    (message,) = refusal(project / "requirements.txt", P313, tmp_path / "cache")
    assert "no-such-thing" in message


def test_without_a_network_and_without_a_lock_the_error_says_so(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    (message,) = refusal(project / "requirements.txt", P313, tmp_path / "cache")
    assert message.endswith(
        "; run this once where the index can be reached, then commit the lock file"
    )


def test_without_uv_the_error_has_the_command(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uv, "find", lambda: None)
    (message,) = refusal(project / "requirements.txt", P313, tmp_path / "cache")
    assert message == (
        "cannot be resolved for python3.13 on arm64: uv is not installed; run `make .venv/uv` in"
        " the project, or `pip install uv`"
    )


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("-e .", "'-e .' (R:1), an editable installation from the deployer's machine"),
        ("--editable=./x", "an editable installation from the deployer's machine"),
        ("./shop", "'./shop' (R:1), a path on the deployer's machine"),
        ("../x-1.0-py3-none-any.whl", "a path on the deployer's machine"),
        ("shop @ file:///home/me/shop", "a path on the deployer's machine"),
        ("git+https://me:hidden@github.com/a/b", "'git+https://github.com/a/b' (R:1), a checkout"),
        ("shop @ git+ssh://git@github.com/a/b@v1", "a checkout of a repository"),
        ("-e . \\", "'-e .' (R:1), an editable installation from the deployer's machine"),
        ("https://example.com/shop-1.0.tar.gz", "an archive of source code"),
        ("shop @ https://example.com/shop.zip", "an archive of source code"),
    ],
)
def test_what_cannot_be_locked_is_named(
    tmp_path: Path, line: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree(tmp_path, {"R": f"{line}\n"}))
    (message,) = refusal(tmp_path / "R", P313, tmp_path / "cache")
    assert fault in message
    assert "cannot be locked for python3.13 on arm64; use a version " in message
    assert "hidden" not in message


@pytest.mark.parametrize(
    "line",
    [
        "x @ https://example.com/x-1-py3-none-any.whl",
        "https://example.com/x-1-py3-none-any.whl#sha256=0",
    ],
)
def test_the_url_of_a_wheel_is_left_to_uv(tmp_path: Path, line: str) -> None:
    path = tree(tmp_path, {"r.txt": line}) / "r.txt"
    assert requirement_files.read(path, "any").errors == []


def test_every_wrong_line_and_file_is_named_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "# comment\n-r more.txt\nleaf \\\n  ==1.0 \\\n  --hash=sha256:00\n-e .\n-c none.txt\n"
    tree(tmp_path, {"r.txt": text, "more.txt": "./x\n-r r.txt\n"})
    messages = refusal(tmp_path / "r.txt", P313, tmp_path / "cache")
    assert [message.partition(",")[0] for message in messages] == [
        "contains '-e .' (r.txt:6)",
        "contains './x' (more.txt:1)",
        "must be a file",
    ]
    assert messages[2] == "must be a file, got 'none.txt' (No such file or directory)"


def test_the_index_of_a_requirements_file_is_used_and_not_locked(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_FIND_LINKS")
    text = f"--find-links ../{index.name}\nleaf\n"
    path = tree(tmp_path / "project", {"requirements.txt": text}) / "requirements.txt"
    assert wheels(path, P313, tmp_path / "cache")["leaf.py"].read_text() == "y = 2"
    assert "find-links" not in lock_path(path, P313).read_text()


def test_requirements_without_any_need_nothing(tmp_path: Path) -> None:
    path = tree(tmp_path, {"requirements.txt": "# none yet\n\n"}) / "requirements.txt"
    assert wheels(path, P313, tmp_path / "cache") == {}
    assert not lock_path(path, P313).exists()


def test_a_lock_is_not_confused_with_the_users_files(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    assert is_lock(tmp_path / "requirements.python3.13-arm64.lock", path)
    assert is_lock(lock_path(path, P311), path)
    assert not is_lock(tmp_path / "other.python3.13-arm64.lock", path)
    assert not is_lock(tmp_path / "requirements.lock", path)
    assert not is_lock(tmp_path / "sub/requirements.python3.13-arm64.lock", path)
    assert not is_lock(tmp_path / "requirements.python3.13-arm64.lock", None)


@pytest.mark.parametrize(
    ("runtime", "architecture", "platform"),
    [
        ("python3.9", "x86_64", "x86_64-manylinux_2_17"),
        ("python3.11", "arm64", "aarch64-manylinux_2_17"),
        ("python3.12", "arm64", "aarch64-manylinux_2_34"),
        ("python3.14", "x86_64", "x86_64-manylinux_2_34"),
    ],
)
def test_the_platform_is_that_of_the_runtimes_amazon_linux(
    runtime: str, architecture: str, platform: str
) -> None:
    version = runtimes.python(runtime)
    assert version is not None
    assert Platform(version, architecture).uv == platform
    assert runtimes.python("nodejs22.x") is None
