"""Finding videos: zips, folders, files, and zips that mean harm."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from pathlib import Path

import pytest

from ava_core.base.errors import InputError
from ava_core.video.intake import unzip
from ava_core.video.intake.archive import check_input, videos_of


def zip_of(path: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in content.items():
            target.writestr(name, data)
    return path


def zipped(content: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as target:
        for name, member in content.items():
            target.writestr(name, member)
    return data.getvalue()


def names(source: Path) -> list[str]:
    with videos_of(source) as found:
        return [video.name for video in found]


def test_every_file_in_nested_folders_is_found_but_for_junk(tmp_path: Path) -> None:
    path = zip_of(
        tmp_path / "in.zip",
        {"a.MP4": b"1", "sub/deep/b.mkv": b"2", "c.WebM": b"3", "d.mov": b"4", "e.AVI": b"5", "note.txt": b"6",
         "__MACOSX/._a.mp4": b"7", "sub/._b.mkv": b"8", "sub/Thumbs.db": b"9", "Desktop.ini": b"10"},
    )  # fmt: skip
    assert names(path) == ["a.MP4", "c.WebM", "d.mov", "e.AVI", "note.txt", "sub/deep/b.mkv"]


def test_a_folder_is_taken_like_a_zip(tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "sub" / "b.MP4").write_bytes(b"1")
    (tmp_path / "in" / "a.avi").write_bytes(b"2")
    (tmp_path / "in" / "c.zip").write_bytes(zipped({"d.mp4": b"3"}))
    (tmp_path / "in" / "link.mp4").symlink_to("/etc/passwd")
    assert names(tmp_path / "in") == ["a.avi", "c.zip/d.mp4", "sub/b.MP4"]


def test_a_video_alone_is_a_batch(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"1")
    assert names(tmp_path / "a.mp4") == ["a.mp4"]


def test_zips_in_a_zip_are_opened_one_level_deep_and_named_beyond(tmp_path: Path) -> None:
    deepest = zipped({"too_deep.mp4": b"1"})
    inner = zipped({"x/inner.mp4": b"2", "deepest.zip": deepest})
    path = zip_of(tmp_path / "in.zip", {"day1/inner.zip": inner, "outer.mp4": b"3"})
    with videos_of(path) as found:
        problems = {video.name: video.problem for video in found}
    assert problems == {
        "day1/inner.zip/deepest.zip": "it is nested two zips deep; unpack the outer ones first",
        "day1/inner.zip/x/inner.mp4": "",
        "outer.mp4": "",
    }


def test_a_broken_zip_in_a_zip_costs_only_itself(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "in.zip", {"torn.zip": zipped({"a.mp4": b"1"})[:40], "outer.mp4": b"2"})
    with videos_of(path) as found:
        assert [(video.name, "cut short" in video.problem) for video in found] == [
            ("outer.mp4", False),
            ("torn.zip", True),
        ]


def test_content_is_what_was_packed(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "in.zip", {"a.mp4": b"first", "b/a.mp4": b"second"})
    with videos_of(path) as found:
        unpacked = [video.path for video in found if video.path]
        assert [path.read_bytes() for path in unpacked] == [b"first", b"second"]
    assert not any(one.exists() for one in unpacked)


@pytest.mark.parametrize("name", ["../../evil.mp4", "/abs/evil.mp4", "..\\..\\evil.mp4", "a/../../evil.mp4"])
def test_no_member_is_written_outside(name: str, tmp_path: Path) -> None:
    path = zip_of(tmp_path / "in.zip", {name: b"evil"})
    with videos_of(path) as found:
        assert ".." not in Path(found[0].name).parts
        assert not Path(found[0].name).is_absolute()
        assert found[0].path
        assert found[0].path.parent.parent.name.startswith("ava-unzip-")
    assert not list(tmp_path.parent.glob("evil.mp4"))


def test_links_in_a_zip_are_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "in.zip"
    with zipfile.ZipFile(path, "w") as target:
        link = zipfile.ZipInfo("link.mp4")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        target.writestr(link, "/etc/passwd")
        target.writestr("a.mp4", b"1")
    assert names(path) == ["a.mp4"]


def test_what_is_hardly_more_than_zeros_costs_only_itself(tmp_path: Path) -> None:
    """Recorders reserve their files before they write them; so do zip bombs."""
    bomb = bytes(unzip.MAX_RATIO * unzip.COPY_CHUNK + 1)
    path = zip_of(tmp_path / "in.zip", {"bomb.mp4": bomb, "good.mp4": b"fine"})
    with videos_of(path) as found:
        assert [video.path is None for video in found] == [True, False]
        assert "unpacks to more than 200 times its size" in found[0].problem


def test_a_header_that_promises_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zip_of(tmp_path / "in.zip", {"a.mp4": bytes(5000)})
    monkeypatch.setattr(unzip, "MAX_BYTES", 4000)
    with pytest.raises(InputError, match="would unpack to more"):
        check_input(path)


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unzip, "MAX_MEMBERS", 2)
    path = zip_of(tmp_path / "in.zip", {f"{n}.mp4": b"1" for n in range(3)})
    with pytest.raises(InputError, match="holds 3 files"):
        check_input(path)


def test_an_encrypted_zip_is_refused_with_its_cure(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "in.zip", {"a.mp4": b"secret"})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # general purpose flag of the local header, then of the central directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.mp4: it is encrypted; make the zip without a password"):
        check_input(path)


def test_a_method_that_is_not_read_is_named(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "in.zip", {"a.mp4": b"packed", "b.mp4": b"fine"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 10] = 98
    path.write_bytes(data)
    with videos_of(path) as found:
        assert found[0].problem == "it is packed with PPMd, which is not supported; use Deflate"
        assert found[1].problem == ""


def deflate64(content: bytes) -> bytes:
    """As Deflate64 in a stored block (APPNOTE, 4.4.5, method 9)."""
    size = len(content)
    return b"\x01" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + content


def test_deflate64_is_read_and_its_checksum_held(tmp_path: Path) -> None:
    packed = deflate64(b"from Windows")
    path = tmp_path / "in.zip"
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("a.mp4", packed)
        member = target.infolist()[0]
        member.compress_type, member.file_size, member.CRC = 9, 12, zlib.crc32(b"from Windows")
    with videos_of(path) as found:
        assert found[0].path
        assert found[0].path.read_bytes() == b"from Windows"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"from Windows", b"from Nowhere"))
    with videos_of(path) as found:
        assert found[0].problem == "it is damaged inside the zip (its checksum is wrong)"


@pytest.mark.parametrize(
    ("encoding", "given"),
    [
        ("gbk", ["监控/前门_1.mp4", "后门.mp4"]),
        ("shift_jis", ["防犯カメラ/正面玄関.mp4"]),
        ("cp437", ["café/über.mp4"]),
        ("utf-8", ["监控/カメラ.mp4"]),
    ],
)
def test_names_without_an_encoding_are_read_as_they_were_meant(
    encoding: str, given: list[str], tmp_path: Path
) -> None:
    marks = {f"{n:02d}" + "x" * (len(name.encode(encoding)) - 2): name for n, name in enumerate(given)}
    data = zip_of(tmp_path / "in.zip", dict.fromkeys(marks, b"1")).read_bytes()
    for mark, name in marks.items():
        data = data.replace(mark.encode(), name.encode(encoding))
    (tmp_path / "in.zip").write_bytes(data)
    assert names(tmp_path / "in.zip") == sorted(given)


@pytest.mark.parametrize(
    ("mark", "kind"),
    [(b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07\x00", "RAR"), (bytes(257) + b"ustar", "tar")],
)
def test_other_archives_are_refused_by_name(mark: bytes, kind: str, tmp_path: Path) -> None:
    for name in ("videos.zip", "videos.bin"):
        (tmp_path / name).write_bytes(mark + bytes(600))
        with pytest.raises(InputError, match=f"is a {kind} archive.*Unpack it"):
            check_input(tmp_path / name)


def test_what_cannot_be_a_batch_says_so(tmp_path: Path) -> None:
    (tmp_path / "torn.zip").write_bytes(zip_of(tmp_path / "whole.zip", {"a.mp4": b"1"}).read_bytes()[:30])
    (tmp_path / "notes.txt").write_bytes(b"1")
    (tmp_path / "folder").mkdir()
    refusals = {
        "missing.zip": "does not exist",
        "missing": "does not exist",
        "torn.zip": "is cut short",
        "notes.txt": "neither a zip nor a folder nor a video",
        "folder": "contains no video",
    }
    zip_of(tmp_path / "empty.zip", {})
    zip_of(tmp_path / "texts.zip", {"a.txt": b"1"})
    refusals |= {"empty.zip": "is empty", "texts.zip": "contains no video"}
    for name, reason in refusals.items():
        with pytest.raises(InputError, match=reason):
            check_input(tmp_path / name)


def test_a_member_that_does_not_unpack_leaves_the_others(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "in.zip", {"bad.mp4": b"x" * 500, "good.mp4": b"fine"})
    data = bytearray(path.read_bytes())
    data[30 + len("bad.mp4") + 1] ^= 0xFF  # inside the first member's compressed bytes
    path.write_bytes(data)
    with videos_of(path) as found:
        assert [(video.name, video.path is None) for video in found] == [
            ("bad.mp4", True),
            ("good.mp4", False),
        ]
        assert "it is damaged inside the zip" in found[0].problem
