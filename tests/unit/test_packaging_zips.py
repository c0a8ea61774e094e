"""Zips: nothing is written outside of the cache, and programs stay executable."""

import io
import stat
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infra.packaging import sizes, zips
from tests.unit.packaging_support import tree, zipped


def refusal(path: Path, cache: Path) -> tuple[str, ...]:
    with pytest.raises(zips.ZipError) as refused:
        zips.unpack(path, cache)
    assert not list(cache.glob("unpacked/*")), "what was refused is not kept"
    return tuple(map(str, refused.value.args))


def entry(name: str, mode: int) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.create_system, made.external_attr = 3, mode << 16
    return made


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("../evil.py", "contains a path that leaves it, '../evil.py'"),
        ("a/../../evil.py", "contains a path that leaves it"),
        ("/etc/evil", "contains an absolute path, '/etc/evil'"),
        ("C:/evil", "contains an absolute path"),
        ("..\\evil.py", "contains a path with backslashes"),
    ],
)
def test_an_entry_that_leads_out_of_the_zip_is_refused(
    tmp_path: Path, name: str, fault: str
) -> None:
    path = zipped(tmp_path / "x.zip", {"main.py": "", name: "evil"})
    (message,) = refusal(path, tmp_path / "cache")
    assert message.startswith(fault)


def test_what_is_not_a_zip_or_is_damaged_is_refused(tmp_path: Path) -> None:
    text = tree(tmp_path, {"x.zip": "not a zip"}) / "x.zip"
    assert refusal(text, tmp_path / "cache") == (
        "cannot be read as a zip (File is not a zip file)",
    )
    whole = zipped(tmp_path / "y.zip", {"main.py": "x = 1234567"}).read_bytes()
    damaged = tree(tmp_path, {"z.zip": whole.replace(b"x = 1234567", b"x = 0000000")}) / "z.zip"
    (message,) = refusal(damaged, tmp_path / "cache")
    assert message.startswith("cannot be read as a zip (Bad CRC-32 for file 'main.py'")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(tmp_path / "x.zip", {"main.py": "x"}).read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path = tree(tmp_path, {"y.zip": bytes(data)}) / "y.zip"
    assert refusal(path, tmp_path / "cache") == (
        "contains an encrypted entry, 'main.py'; create it without a password",
    )


def test_every_wrong_entry_is_named_at_once(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"../a": "", "/b": "", "fine": ""})
    assert len(refusal(path, tmp_path / "cache")) == 2


def test_a_zip_that_is_larger_than_lambda_accepts_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "x.zip", {"a": "1" * 600, "b": "2" * 600})
    assert set(zips.unpack(path, tmp_path / "cache")) == {"a", "b"}
    monkeypatch.setattr(sizes, "UNZIPPED_BYTES", 1000)
    (message,) = refusal(path, tmp_path / "other")
    assert "that Lambda accepts" in message


def test_programs_stay_executable_and_links_become_files(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(entry("bootstrap", 0o100755), "#!/bin/sh\n")
        packed.writestr(entry("bin/start", 0o120777), "../bootstrap")
        packed.writestr(entry("text", 0o100644), "text")
    files = zips.unpack(path, tmp_path / "cache")
    assert {name: file.stat().st_mode & 0o777 for name, file in files.items()} == {
        "bootstrap": 0o755,
        "bin/start": 0o755,
        "text": 0o644,
    }
    assert files["bin/start"].read_text() == "#!/bin/sh\n"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd", "folder", "link"])
def test_a_link_to_what_is_not_a_file_of_the_zip_is_refused(tmp_path: Path, target: str) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("folder/file", "")
        packed.writestr(entry("link", 0o120777), target)
    (message,) = refusal(path, tmp_path / "cache")
    assert message.startswith("contains a symbolic link whose target is not in the zip, 'link'")
    assert repr(target) in message


def test_a_zip_is_unpacked_once(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"main.py": "x", "__pycache__/main.cpython-313.pyc": "x"})
    first = zips.unpack(path, tmp_path / "cache")
    assert set(first) == {"main.py"}
    inode = first["main.py"].stat().st_ino
    again = zips.unpack(path, tmp_path / "cache")
    assert again["main.py"].stat().st_ino == inode
    zipped(path, {"main.py": "y"})
    assert zips.unpack(path, tmp_path / "cache")["main.py"].read_text() == "y"


@st.composite
def any_zip(draw: st.DrawFn) -> bytes:
    """Return a zip of any names, modes and contents, perhaps with some bytes replaced."""
    names = st.one_of(
        st.text(min_size=1, max_size=20),
        st.lists(st.sampled_from(["..", ".", "", "a", "b", "C:", "~"]), max_size=6).map("/".join),
    )
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        for name in draw(st.lists(names.filter(bool), max_size=5)):
            try:
                mode = draw(st.sampled_from([0, 0o100755, stat.S_IFLNK | 0o777, stat.S_IFDIR]))
                packed.writestr(entry(name, mode), draw(st.text(max_size=20)))
            except (ValueError, UnicodeEncodeError):  # zipfile itself refuses it
                continue
    changed = bytearray(data.getvalue())
    for at in draw(st.lists(st.integers(0, len(changed) - 1), max_size=4)):
        changed[at] = draw(st.integers(0, 255))
    return bytes(changed)


@given(any_zip())
@example(b"")
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_zip_is_written_outside_of_its_folder(data: bytes) -> None:
    with TemporaryDirectory() as temporary:
        outside = tree(Path(temporary), {"outside/x.zip": data, "a/b/c/near": "as it was"})
        cache = outside / "a/b/c/cache"
        try:
            files = zips.unpack(outside / "outside/x.zip", cache)
        except zips.ZipError:
            files = {}
        for path in files.values():
            assert path.is_file()
            assert path.resolve().is_relative_to(cache.resolve() / "unpacked")
        written = {path for path in outside.rglob("*") if path.is_file()}
        others = {path for path in written if not path.is_relative_to(cache)}
        assert others == {outside / "outside/x.zip", outside / "a/b/c/near"}


def test_a_program_is_executable_and_text_or_a_library_is_not(tmp_path: Path) -> None:
    elf = b"\x7fELF" + bytes(60)
    files: dict[str, str | bytes] = {
        "tool": elf,
        "lib.so": elf,
        "lib.so.1.2": elf,
        "run.sh": "#!/bin/sh",
        "text": "text",
    }
    tree(tmp_path, {**files, "bootstrap": elf})
    for name in files:
        (tmp_path / name).chmod(0o755)
    executable = {name for name in files if zips.is_executable(name, tmp_path / name)}
    assert executable == {"tool", "run.sh"}
    assert zips.is_executable("bootstrap", tmp_path / "bootstrap"), "git on Windows has no modes"
    (tmp_path / "tool").chmod(0o644)
    assert not zips.is_executable("tool", tmp_path / "tool")


def test_a_written_zip_depends_on_names_contents_and_modes_only(tmp_path: Path) -> None:
    bytes_of = []
    for folder, at in (("one", 1), ("two", 2)):
        root = tree(tmp_path / folder, {"b": "b" * at * 0 + "same", "bootstrap": "#!/bin/sh"})
        files = {"b": root / "b", "bootstrap": root / "bootstrap"}
        ordered = dict(sorted(files.items(), reverse=at == 2))
        bytes_of.append(zips.write(ordered, tmp_path / f"cache-{folder}").read_bytes())
    assert bytes_of[0] == bytes_of[1]
    with zipfile.ZipFile(io.BytesIO(bytes_of[0])) as packed:
        modes = {each.filename: each.external_attr >> 16 for each in packed.infolist()}
    assert modes == {"b": 0o100644, "bootstrap": 0o100755}


def test_a_large_zip_is_compressed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tree(tmp_path, {"a": "1" * 10_000}) / "a"
    assert zips.write({"a": path}, tmp_path / "cache").stat().st_size > 10_000
    monkeypatch.setattr(sizes, "ZIPPED_BYTES", 5_000)
    assert zips.write({"a": path}, tmp_path / "cache").stat().st_size < 1_000
