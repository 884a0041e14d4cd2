"""`striate filter`: what it writes, what it prints, what it refuses, and what it does not load."""

import os
import subprocess
import sys
import time
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

import striate
from doors import refused, striate_apart, striate_here

GREY = (np.arange(48 * 64).reshape(48, 64) * 21 % 65536).astype(np.uint16)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A small colour picture of 8 bits."""
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """A grey picture of 16 bits."""
    (tmp_path / "deep.png").write_bytes(imagecodecs.png_encode(GREY))
    return tmp_path / "deep.png"


def pixels_of(path: Path) -> np.ndarray:
    """What another library reads."""
    return imagecodecs.png_decode(path.read_bytes())


def test_a_16_bit_picture_stays_as_deep_as_it_was(deep: Path, tmp_path: Path) -> None:
    outcome = striate_here(
        "filter", deep, "-k", "identity", "--padding", "same", "--out", tmp_path / "out.png"
    )
    assert (outcome.code, outcome.err) == (0, "")
    assert np.array_equal(pixels_of(tmp_path / "out.png"), GREY)
    assert "48 × 64 × 1, 0 .. " in outcome.out
    assert "16 bits: 0 is 0, 65535 is 65535" in outcome.out


def test_zero_is_mid_grey_and_both_signs_are_kept(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    outcome = striate_here(
        "filter", photo, "--kernel", "sobel_x", "--padding", "same", "--border", "edge", "--out", out
    )
    values = striate.convolve(
        striate.read_image(photo), striate.kernels.sobel_x, padding="same", border="edge"
    )
    limit = np.abs(values).max()
    assert np.array_equal(pixels_of(out), np.rint(32768 + values * (32767 / limit)))
    assert f"0 is mid-grey 32768, {-limit} is 1, {limit} is 65535" in outcome.out
    assert (pixels_of(out)[values == 0] == 32768).all()


def test_a_sharpened_picture_is_held_at_black_and_white_and_says_how_often(
    photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    outcome = striate_here("filter", photo, "-k", "0 -1 0; -1 5 -1; 0 -1 0", "--out", out)
    values = striate.convolve(striate.read_image(photo), striate.kernels.sharpen)
    assert np.array_equal(pixels_of(out), np.clip(values, 0, 255) * 257)
    assert f"{int(((values < 0) | (values > 255)).sum()):,} values beyond are held there" in outcome.out
    assert outcome.out.startswith("kernel1 ")
    signed = striate_here("filter", photo, "-k", "sharpen", "--values", "signed", "--out", out)
    assert "0 is mid-grey" in signed.out


@pytest.mark.parametrize("ending", [".npy", ".tif"])
def test_numbers_are_written_as_computed(photo: Path, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out{ending}"
    outcome = striate_here(
        "filter", photo, "-k", "outline", "--stride", 2, "--padding", 1, "--pool", "max:2", "--out", out
    )
    assert outcome.code == 0, outcome.err
    values = striate.convolve(striate.read_image(photo), striate.kernels.outline, stride=2, padding=1)
    expected = striate.pool(values, "max", 2)
    made = np.load(out) if ending == ".npy" else tifffile.imread(out)
    assert np.array_equal(made, expected)
    if ending == ".npy":
        assert made.dtype == np.int64
    assert striate.read_image(out).shape == expected.shape if ending == ".tif" else True


def test_several_kernels_make_several_files_and_a_sheet(photo: Path, tmp_path: Path) -> None:
    words = [
        "-k",
        "blur",
        "-k",
        "gaussian:1",
        "-k",
        "outline",
        "--out",
        tmp_path / "o.png",
        "--sheet",
        tmp_path / "s.png",
    ]
    outcome = striate_here("filter", photo, *words)
    assert outcome.code == 0, outcome.err
    assert {path.name for path in tmp_path.glob("o-*.png")} == {
        "o-blur.png",
        "o-gaussian-1.png",
        "o-outline.png",
    }
    with Image.open(tmp_path / "s.png") as sheet:
        assert f"sheet        {sheet.width} × {sheet.height} pixels" in outcome.out
        assert sheet.width == 2 * (3 * 316 + 16)


def test_measured_values_keep_their_own_scale(tmp_path: Path) -> None:
    scan = np.linspace(-1000, 2000, 12 * 12).reshape(12, 12).astype(np.int16)
    tifffile.imwrite(tmp_path / "scan.tif", scan)
    outcome = striate_here("filter", tmp_path / "scan.tif", "-k", "identity", "--out", tmp_path / "o.png")
    assert outcome.code == 0, outcome.err
    assert "-1000 is 0, 2000 is 65535" in outcome.out
    inner = scan[1:-1, 1:-1].astype(float)
    assert np.array_equal(pixels_of(tmp_path / "o.png"), np.rint((inner + 1000) * (65535 / 3000)))


def test_a_ct_slice_is_filtered_in_hounsfield_units(tmp_path: Path) -> None:
    pydicom = pytest.importorskip("pydicom", reason="needs the extra: pip install striate[dicom]")
    slice_of_ct = pydicom.data.get_testdata_file("CT_small.dcm", download=False)
    outcome = striate_here(
        "filter", slice_of_ct, "-k", "laplacian", "-k", "smooth", "--out", tmp_path / "ct.npy"
    )
    assert outcome.code == 0, outcome.err
    image = striate.read_image(slice_of_ct)
    laplacian = np.load(tmp_path / "ct-laplacian.npy")
    inner = image.astype(int)
    expected = sum(np.roll(inner, step, axis) for step in (-1, 1) for axis in (0, 1)) - 4 * inner
    assert np.array_equal(laplacian, expected[1:-1, 1:-1])
    png = striate_here("filter", slice_of_ct, "-k", "smooth", "--out", tmp_path / "ct.png")
    assert f"{image.min():.6g} is 0, {image.max():.6g} is 65535" in png.out


def test_explain_is_the_board_for_a_padded_stride(tmp_path: Path) -> None:
    Image.fromarray(np.arange(1, 26, dtype=np.uint8).reshape(5, 5)).save(tmp_path / "five.png")
    outcome = striate_here(
        "filter", tmp_path / "five.png", "-k", "sobel_x", "--stride", 2, "--padding", 1, "--explain", "0,1"
    )
    assert outcome.out == (
        "sobel_x, row 0, column 1 of 3 × 3\n"
        "rows -1..1 and columns 1..3 of the image\n(stride 2; padding 1 before, 1 after, zero; "
        "row 0 · 2 - 1 = -1, column 1 · 2 - 1 = 1)\n"
        "\n"
        "   window           kernel        products\n"
        "(0)  (0)  (0)     -1   0   1      0   0   0\n"
        "  2    3    4  ·  -2   0   2  =  -4   0   8\n"
        "  7    8    9     -1   0   1     -7   0   9\n"
        "\n"
        "sum = 0 + 0 + 0 - 4 + 0 + 8 - 7 + 0 + 9 = 6\n"
    )
    pooled = striate_here("filter", tmp_path / "five.png", "--pool", "average:2", "--explain", "1,0")
    assert pooled.out.endswith("11  12\n16  17\n\naverage = (11 + 12 + 16 + 17) / 4 = 14\n")


def test_list_names_every_kernel_with_its_weights_and_source() -> None:
    outcome = striate_here("filter", "--list")
    assert outcome.code == 0
    for name, named in striate.kernels.NAMED.items():
        assert f"{name}: {named.summary} ({named.source})" in outcome.out
    assert "1/16  2/16  1/16" in outcome.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-k", "outlin", "--out", "o.png"], "there is no kernel 'outlin'; did you mean outline?"),
        (["-k", "1 2 3; 4 5", "--out", "o.png"], "row 1 has 3 numbers and row 2 has 2."),
        (["-k", "1 2; 3 4", "--indexing", "centred", "--out", "o.png"], "of odd sizes; got 2 × 2."),
        (
            ["-k", "blur", "--stride", "0", "--out", "o.png"],
            "stride must be a whole number of at least 1; got 0.",
        ),
        (["-k", "gaussian:9", "--out", "o.png"], "a window of 55 × 55 does not fit an image of 20 × 30"),
        (["--pool", "max:40", "--out", "o.png"], "a window of 40 × 40 does not fit an image of 20 × 30"),
        (["--pool", "median:2", "--out", "o.png"], "--pool median:2: write max or average"),
        (
            ["-k", "blur", "--out", "o.jpg"],
            "o.jpg: the ending says the format; it can be .png, .tif, .tiff, .npy.",
        ),
        (["-k", "blur", "--sheet", "s.tif"], "s.tif: the ending says the format; it can be .png."),
        (
            ["-k", "blur", "--explain", "20,0"],
            "there is no cell 20, 0; the result has 18 × 28 cells, counted from 0.",
        ),
        (
            ["-k", "blur", "--explain", "first"],
            "--explain first: write a row and a column of the result, such as 3,5.",
        ),
        (["-k", "blur", "-k", "blur", "--out", "o.png"], "--kernel blur is given twice; once is enough."),
        (["-k", "blur", "--out", "o.png", "--sheet", "o.png"], "two results cannot both be o.png"),
        (
            ["-k", "blur", "--values", "sined", "--out", "o.png"],
            "there is no mapping 'sined'; did you mean signed?",
        ),
        (["-k", "blur"], "one of --out, --sheet or --explain are needed"),
        (["--out", "o.png"], "--kernel or --pool"),
    ],
)
def test_wrong_usage_is_one_sentence_and_writes_nothing(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(striate_here("filter", photo, *words), 2, said)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


def test_the_picture_itself_is_never_written_over(photo: Path, tmp_path: Path) -> None:
    before = photo.read_bytes()
    (tmp_path / "link.png").symlink_to(photo)
    os.link(photo, tmp_path / "hard.png")
    for name in ("photo.png", "link.png", "hard.png"):
        for option in ("--out", "--sheet"):
            refused(
                striate_here("filter", photo, "-k", "blur", option, tmp_path / name),
                2,
                "is the picture itself",
            )
    tifffile.imwrite(tmp_path / "pages.tif", np.zeros((2, 9, 9), np.uint8), photometric="minisblack")
    again = striate_here("filter", f"{tmp_path}/pages.tif#2", "-k", "blur", "--out", tmp_path / "pages.tif")
    refused(again, 2, "is the picture itself")
    assert photo.read_bytes() == before


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    refused(
        striate_here("filter", tmp_path / "no.png", "-k", "blur", "--out", tmp_path / "o.png"),
        1,
        "no.png: there is no",
    )


def test_a_small_picture_loads_nothing_heavy(photo: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom striate import cli\n"
        "try:\n    cli.main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "loaded = [m for m in ('torch', 'sklearn', 'matplotlib', 'scipy') if m in sys.modules]\n"
        "print('loaded:', loaded)"
    )
    words = [
        "filter",
        str(photo),
        "-k",
        "outline",
        "-k",
        "gaussian:1.5",
        "--pool",
        "max:2",
        "--out",
        f"{tmp_path}/o.png",
    ]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_it_starts_within_a_few_bare_interpreters(photo: Path, tmp_path: Path) -> None:
    def seconds(work: list[str]) -> float:
        start = time.perf_counter()
        subprocess.run(work, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    bare = min(seconds([sys.executable, "-c", "pass"]) for _ in range(3))
    assert striate_apart("filter", photo, "-k", "blur", "--out", tmp_path / "o.png").code == 0
    words = [
        sys.executable,
        "-m",
        "striate",
        "filter",
        str(photo),
        "-k",
        "blur",
        "--out",
        str(tmp_path / "o.png"),
    ]
    assert min(seconds(words) for _ in range(3)) < bare + 2.5
