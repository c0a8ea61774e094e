"""Which of the user's files a package has."""

import os
from pathlib import Path

import pytest

from infra.packaging import contents
from infra.packaging.contents import Part
from tests.unit.packaging_support import tree, zipped


def everything(_: Path) -> bool:
    return False


def code(path: Path, cache: Path) -> tuple[dict[str, Path], list[tuple[str, str]]]:
    part, errors = contents.of_code(path, cache, everything)
    return part.files, errors


def test_a_folder_gives_its_files_and_not_what_tools_leave_there(tmp_path: Path) -> None:
    kept = {"main.py": "", "shop/__init__.py": "", "shop/data.json": "{}"}
    left = {"__pycache__/main.pyc": "", "old.pyc": "", ".env": "", ".git/HEAD": ""}
    venv = {"venv/pyvenv.cfg": "", "venv/lib/x.py": ""}
    folder = tree(tmp_path / "code", kept | left | venv)
    files, errors = code(folder, tmp_path)
    assert (set(files), errors) == (set(kept), [])
    assert files["shop/data.json"] == folder / "shop/data.json"


def test_a_file_is_at_the_root_under_its_name(tmp_path: Path) -> None:
    folder = tree(tmp_path, {"deep/main.py": "", "deep/other.py": ""})
    assert code(folder / "deep/main.py", tmp_path) == ({"main.py": folder / "deep/main.py"}, [])


@pytest.mark.parametrize("name", ["built.zip", "built.jar"])
def test_a_zip_gives_what_it_has(tmp_path: Path, name: str) -> None:
    built = zipped(tmp_path / name, {"main.py": "x = 1", "a/b.txt": "b"})
    files, errors = code(built, tmp_path / "cache")
    assert errors == []
    assert {name: path.read_text() for name, path in files.items()} == {
        "main.py": "x = 1",
        "a/b.txt": "b",
    }


def test_every_fault_of_a_zip_is_an_error_of_the_code(tmp_path: Path) -> None:
    built = zipped(tmp_path / "built.zip", {"../a": "", "/b": ""})
    errors = code(built, tmp_path / "cache")[1]
    assert errors == [
        (
            "code",
            f"contains a path that leaves it, '../a'; use paths without `..`, got '{built}'",
        ),
        ("code", f"contains an absolute path, '/b'; use relative paths, got '{built}'"),
    ]


def test_a_missing_folder_is_named_with_one_that_is_similar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree(tmp_path, {"services/orders/main.py": ""}))
    message = (
        "must be a folder, a file or a .zip, got 'services/ordrs', which does not exist; did"
        " you mean 'services/orders'?"
    )
    assert code(tmp_path / "services/ordrs", tmp_path)[1] == [("code", message)]
    (_, message), *_ = code(tmp_path / "nothing/like/it", tmp_path)[1]
    assert message.endswith("got 'nothing/like/it', which does not exist")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    folder = tree(tmp_path / "code", {".hidden": ""})
    assert code(folder, tmp_path)[1] == [("code", f"has no files, got '{folder}'")]


def test_a_link_inside_of_the_folder_is_followed(tmp_path: Path) -> None:
    folder = tree(tmp_path / "code", {"main.py": "x = 1", "shop/cart.py": ""})
    (folder / "copy.py").symlink_to("main.py")
    (folder / "store").symlink_to("shop")
    files, errors = code(folder, tmp_path)
    assert (set(files), errors) == ({"main.py", "shop/cart.py", "copy.py", "store/cart.py"}, [])


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("../outside", "a symbolic link to outside, sub/link; add its target to `include`"),
        ("../nothing", "a broken symbolic link, sub/link; remove it"),
        (".", "a symbolic link to one of its parent folders, sub/link; remove it"),
        ("..", "a symbolic link to one of its parent folders, sub/link; remove it"),
    ],
)
def test_a_link_that_cannot_be_packed_is_refused(tmp_path: Path, target: str, fault: str) -> None:
    folder = tree(tmp_path / "code", {"main.py": "", "sub/x.py": ""})
    tree(tmp_path, {"outside/secret.txt": ""})
    at = {"../outside": tmp_path / "outside", "../nothing": tmp_path / "nothing"}
    (folder / "sub/link").symlink_to(at.get(target, target))
    files, errors = code(folder, tmp_path)
    assert set(files) == {"main.py", "sub/x.py"}
    assert errors == [("code", f"contains {fault}, got '{folder}'")]


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    folder = tree(tmp_path / "code", {"main.py": ""})
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt")).touch()
    ((key, message),) = code(folder, tmp_path)[1]
    assert key == "code"
    assert message.startswith("contains a file whose name is not UTF-8")


def test_what_is_included_is_at_the_root(tmp_path: Path) -> None:
    tree(tmp_path, {"shared/money.py": "", "shared/db/rows.py": "", "tax.py": ""})
    part, errors = contents.of_include(tmp_path / "shared", everything)
    assert (set(part.files), errors) == ({"money.py", "db/rows.py"}, [])
    part, errors = contents.of_include(tmp_path / "tax.py", everything)
    assert (set(part.files), errors) == ({"tax.py"}, [])
    part, errors = contents.of_include(tmp_path / "tox.py", everything)
    ((key, message),) = errors
    assert key == "include"
    assert message.startswith("must be a folder or a file, got ")


def test_two_sources_of_one_path_must_agree(tmp_path: Path) -> None:
    tree(tmp_path, {"one/a.py": "a = 1", "two/a.py": "a = 2", "same/a.py": "a = 1"})
    one, two, same = (
        Part(key, f"{key} ({folder})", {"a.py": tmp_path / folder / "a.py"})
        for key, folder in (("code", "one"), ("include", "two"), ("include", "same"))
    )
    files, origins, errors = contents.merge([one, same])
    assert (set(files), origins, errors) == ({"a.py"}, {"a.py": "code"}, [])
    message = (
        "adds a.py to the package from include (two), and code (one) adds a different file with"
        " that name; rename or remove one of them"
    )
    assert contents.merge([one, two])[2] == [("include", message)]
