"""Archives that mean harm: each is refused, or its bad member skipped with a line; nothing is unpacked or followed."""

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib

import made_archives as made
import pytest


def zip_bytes(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (("cat/1.png", made.png(1)), ("dog/1.png", made.png(2)), *members):
            archive.writestr(name, data)
    return file.getvalue()


def link_in_zip() -> bytes:
    info = zipfile.ZipInfo("cat/x.png")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return zip_bytes((info, b"/etc/passwd"))


def nul_in_zip() -> bytes:
    return zip_bytes(("cat/x.png@exe", b"x")).replace(b"cat/x.png@exe", b"cat/x.png\0exe")


def encrypted_zip() -> bytes:
    data = bytearray(zip_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def overlapping_zip() -> bytes:
    """Two members on the same data, as in a bomb of quoted or overlapping files."""
    data = bytearray(zip_bytes())
    second = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
    data[second + 42 : second + 46] = struct.pack("<L", 0)
    return bytes(data)


def declaring_zip(size: int) -> bytes:
    """A member that claims to inflate to so many bytes."""
    packed = zlib.compress(made.png(3))[2:-4]
    name = b"cat/x.png"
    extra = struct.pack("<HHQQ", 1, 16, size, len(packed))
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 45, 0, 8, 0, 0, 0, len(packed), 0xFFFFFFFF, len(name), 0)
    start = local + name + packed
    record = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 45, 45, 0, 8, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, len(name), 20, 0, 0, 0, 0, 0
    )
    other = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, zlib.crc32(b""), 0, 0, 9, 0) + b"dog/1.png"
    place = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, len(start))
    directory = record + name + extra + place + b"dog/1.png"
    body = start + other
    return body + directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 2, 2, len(directory), len(body), 0)


def ratio_bomb() -> bytes:
    return zip_bytes(("cat/x.png", bytes(100 << 20)))


REFUSED = "is refused: its member"
LEADS_OUT = "has a name that leads out of the archive"
ZIPS = {
    "a slip": (lambda: zip_bytes(("../../evil.png", b"x")), LEADS_OUT),
    "a slip in the middle": (lambda: zip_bytes(("cat/../../evil.png", b"x")), LEADS_OUT),
    "an absolute name": (lambda: zip_bytes(("/tmp/evil.png", b"x")), LEADS_OUT),
    "a drive letter": (lambda: zip_bytes(("C:/evil.png", b"x")), LEADS_OUT),
    "backslashes": (lambda: zip_bytes(("..\\evil.png", b"x")), LEADS_OUT),
    "a NUL": (nul_in_zip, LEADS_OUT),
    "a link": (link_in_zip, "is a link"),
    "an encrypted member": (encrypted_zip, "is encrypted"),
    "overlapping members": (overlapping_zip, "overlap, as in a zip bomb"),
}


@pytest.mark.parametrize("case", ZIPS)
def test_zips_that_are_refused(tmp_path, case, asked):
    make, words = ZIPS[case]
    path = tmp_path / "evil.zip"
    path.write_bytes(make())
    answer = asked(path)
    assert words in answer["error"]
    assert "is refused: its member" in answer["error"]
    assert not answer["names"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: declaring_zip(10 << 30), "inflates to 10,737,418,240 bytes; the limit is 536,870,912"),
        (ratio_bomb, "more than 200 times: no picture does that (STRIATE_MAX_INFLATION raises the limit)"),
        (lambda: zip_bytes(("cat/x.png", zip_bytes())), "not a picture"),
    ],
    ids=["10 GB declared", "ratio", "a zip called png"],
)
def test_zips_with_a_bad_member_cost_that_member(tmp_path, make, words, asked):
    path = tmp_path / "evil.zip"
    path.write_bytes(make())
    answer = asked(path)
    assert words in answer["failures"]["cat/x.png"]
    assert words in answer["listed"][f"{path}/cat/x.png"]


def test_a_zip_in_a_zip_is_not_opened(tmp_path, asked):
    path = tmp_path / "evil.zip"
    path.write_bytes(zip_bytes(("cat/inner.zip", zip_bytes())))
    answer = asked(path)
    assert answer["names"] == ["cat/1.png", "dog/1.png"]
    assert answer["notes"] == ["1 file left out, without a picture's ending: cat/inner.zip"]


def test_a_zip_with_two_members_of_one_name_lists_the_last(tmp_path, asked):
    path = tmp_path / "twice.zip"
    path.write_bytes(zip_bytes(("cat/2.png", made.png(3))).replace(b"cat/2.png", b"cat/1.png"))
    answer = asked(path)
    assert answer["names"] == ["cat/1.png", "dog/1.png"]
    assert answer["notes"] == ["1 file left out, with the name of a later member: cat/1.png"]


def test_names_that_differ_by_case_alone_are_told(tmp_path, asked):
    path = tmp_path / "case.zip"
    path.write_bytes(zip_bytes(("cat/1.PNG", made.png(3))))
    answer = asked(path)
    assert len(answer["names"]) == 3
    assert answer["notes"] == [
        "1 name differs from another by upper and lower case alone: cat/1.PNG and cat/1.png"
    ]


def evil_tar(*members: tuple[tarfile.TarInfo, bytes], kind: int = tarfile.PAX_FORMAT) -> bytes:
    good = [(made.member("cat/1.png"), made.png(1)), (made.member("dog/1.png"), made.png(2))]
    return made.tar_of([*good, *members], kind)


def pax_path(name: str) -> tuple[tarfile.TarInfo, bytes]:
    info = made.member("cat/harmless.png")
    info.pax_headers = {"path": name}
    return info, made.png(3)


def header_with(old: bytes, new: bytes) -> bytes:
    """A tar whose second member has another name, its checksum made right."""
    data = bytearray(evil_tar(kind=tarfile.USTAR_FORMAT))
    start = data.index(old) // 512 * 512
    data[start : start + len(new)] = new
    data[start + 148 : start + 156] = b"        "
    data[start + 148 : start + 156] = b"%06o\0 " % sum(data[start : start + 512])
    return bytes(data)


TARS_REFUSED = {
    "a slip": lambda: evil_tar((made.member("../evil.png"), b"x")),
    "an absolute name": lambda: evil_tar((made.member("/tmp/evil.png"), b"x")),
    "backslashes": lambda: evil_tar((made.member("..\\evil.png"), b"x")),
    "a pax path": lambda: evil_tar(pax_path("../../evil.png")),
    "a pax path with a NUL": lambda: evil_tar(pax_path("cat/x.png\0exe")),
    "a GNU long name": lambda: evil_tar(
        (made.member("../" + 150 * "x" + ".png"), b"x"), kind=tarfile.GNU_FORMAT
    ),
}


@pytest.mark.parametrize("case", TARS_REFUSED)
def test_tars_that_are_refused(tmp_path, case, asked):
    path = tmp_path / "evil.tar"
    path.write_bytes(TARS_REFUSED[case]())
    answer = asked(path)
    assert LEADS_OUT in answer["error"]
    assert not answer["names"]


TARS_SKIPPED = {
    "a device": (made.member("cat/x.png", tarfile.CHRTYPE), "a pipe or a device"),
    "a pipe": (made.member("cat/x.png", tarfile.FIFOTYPE), "a pipe or a device"),
    "a hard link outside": (
        made.member("cat/x.png", tarfile.LNKTYPE, "../../etc/passwd"),
        "a second name of",
    ),
    "a link outside": (
        made.member("cat/x.png", tarfile.SYMTYPE, "/etc/passwd"),
        "a link, which is not followed",
    ),
}


@pytest.mark.parametrize("case", TARS_SKIPPED)
def test_members_of_tars_that_are_skipped(tmp_path, case, asked):
    info, words = TARS_SKIPPED[case]
    path = tmp_path / "evil.tar"
    path.write_bytes(evil_tar((info, b"")))
    answer = asked(path)
    assert answer["names"] == ["cat/1.png", "dog/1.png"]
    assert words in answer["notes"][0]
    assert list(answer["listed"].values()) == ["", ""]


def test_a_link_in_a_tar_and_a_file_through_it(tmp_path, asked):
    """Nothing is unpacked, so the member is no more than a name, and its bytes are the archive's own."""
    path = tmp_path / "evil.tar"
    through = (made.member("owl", tarfile.SYMTYPE, str(tmp_path)), b"")
    path.write_bytes(evil_tar(through, (made.member("owl/evil.png"), made.png(5))))
    answer = asked(path)
    assert answer["names"] == ["cat/1.png", "dog/1.png", "owl/evil.png"]
    assert "a link, which is not followed: owl" in answer["notes"][0]
    assert not (tmp_path / "evil.png").exists()


@pytest.mark.parametrize("mode", ["gz", "bz2", "xz"])
def test_a_compressed_tar_that_is_a_bomb(tmp_path, mode, asked):
    """Hundreds of megabytes of zeros in a few hundred kilobytes: given up after 64 MiB."""
    opener = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}[mode]
    path = tmp_path / f"bomb.tar.{mode}"
    info = made.member("cat/1.png")
    info.size = 400 << 20
    with opener(path, "wb") as file:
        file.write(info.tobuf())
        for _ in range(400 if mode == "gz" else 100):
            file.write(bytes(1 << 20))
    answer = asked(path)
    assert "is refused: it inflates by more than 200 times" in answer["error"]
    assert "STRIATE_MAX_INFLATION" in answer["error"]
    assert not list((tmp_path / "cache").rglob("*"))


def test_a_tar_that_claims_a_huge_header(tmp_path, asked):
    path = tmp_path / "evil.tar"
    info = made.member("././@LongLink", b"L")
    info.size = 5 << 30
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(5000))
    answer = asked(path)
    assert "claims 5,368,709,120 bytes of names" in answer["error"]


def test_two_members_of_a_tar_with_one_name(tmp_path, asked):
    path = tmp_path / "twice.tar"
    path.write_bytes(evil_tar((made.member("cat/1.png"), b"not a picture any more")))
    answer = asked(path)
    assert answer["notes"] == ["1 file left out, with the name of a later member: cat/1.png"]
    assert "cat/1.png" in answer["failures"]


def test_a_name_in_a_tar_that_is_no_text(tmp_path, asked):
    path = tmp_path / "names.tar"
    path.write_bytes(header_with(b"dog/1.png", b"dog/\xff.png") + b"")
    answer = asked(path)
    assert "one class only" in answer["error"]
    assert list(answer["listed"]) == [f"{path}/cat/1.png"]
