"""`striate explain`: what it prints and writes, for pictures and for the network, and what it refuses in a sentence."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import striate
from doors import Outcome, plain, refused, striate_here, tree, zipped
from explained import IMAGES, opened, train_with_maps, write_digit, write_digits
from striate.classifier.explaining.files import FILES
from striate.cli.explain import METHODS as LISTED
from striate.explanation import DEFAULT, METHODS


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("explain")
    return train_with_maps(write_digits(root / "digits"), root / "run")


@pytest.fixture(scope="module")
def data(run: Path) -> Path:
    """The images that the run was trained on."""
    return run.parent / "digits"


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_digit(tmp_path_factory.mktemp("photo") / "photo.png", 5)


def one_line(outcome: Outcome) -> dict:
    """What a single line of JSON says."""
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.count("\n") == 1
    return json.loads(outcome.out)


# Pictures


def test_one_picture_without_a_choice(
    run: Path, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = tree(run)
    outcome = striate_here("explain", run, photo)
    assert (outcome.code, outcome.err) == (0, "")
    folder = tmp_path / "explanations" / "photo"
    assert {one.name for one in folder.iterdir()} == set(FILES)
    told = json.loads((folder / "explanation.json").read_text())
    (predicted,) = [
        json.loads(line) for line in striate_here("predict", run, photo, "--json").out.splitlines()
    ]
    assert (told["class"], told["probability"]) == (predicted["class"], predicted["probability"])
    first, second, third = outcome.out.splitlines()
    assert first.split() == [predicted["class"], f"{predicted['probability']:.2%}", str(photo)]
    assert second.strip().startswith(f"Grad-CAM of {told['stage']}, ")
    assert third.strip() == f"explanations/photo: {', '.join(FILES)}"
    assert told["method"] == DEFAULT
    assert told["command"].startswith("striate explain ")
    assert told["note"] == "For research; not a medical device."
    assert tree(run) == before


def test_json_is_what_the_file_says(run: Path, photo: Path, tmp_path: Path) -> None:
    words = ["explain", run, photo, "--method", "smooth_grad", "--set", "samples=3", "--class", "4"]
    line = one_line(striate_here(*words, "--out", tmp_path / "why", "--json"))
    told = json.loads((tmp_path / "why" / "explanation.json").read_text())
    assert line == {
        **{name: told[name] for name in line if name != "folder"},
        "folder": str(tmp_path / "why"),
    }
    assert (line["class"], line["method"], line["options"]) == ("4", "smooth_grad", {"samples": 3})
    reason = striate.Classifier.load(run).explain(photo, method="smooth_grad", label="4", samples=3)
    assert json.loads(json.dumps(reason.to_dict())) == {name: line[name] for name in reason.to_dict()}
    assert np.array_equal(np.load(tmp_path / "why" / "map.npy"), reason.map)


def test_quiet_says_nothing(run: Path, photo: Path, tmp_path: Path) -> None:
    outcome = striate_here("explain", run, photo, "--out", tmp_path, "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert (tmp_path / "overlay.png").is_file()


def test_several_pictures_have_a_folder_each(run: Path, tmp_path: Path) -> None:
    write_digit(tmp_path / "a" / "one.png", 1)
    write_digit(tmp_path / "b" / "one.png", 2)
    write_digit(tmp_path / "b" / "two.png", 3)
    archive = zipped(tmp_path / "b", tmp_path / "b.zip")
    (tmp_path / "b" / "text.txt").write_text("no picture")
    outcome = striate_here(
        "explain", run, tmp_path / "a", tmp_path / "b", archive, "--out", tmp_path / "why", "--json"
    )
    assert (outcome.code, outcome.err) == (0, "")
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    assert [Path(line["folder"]).name for line in lines] == ["one", "one-2", "two", "one-3", "two-2"]
    assert [line["source"] for line in lines][-1] == f"{archive}/two.png"
    for line in lines:
        assert {one.name for one in Path(line["folder"]).iterdir()} == set(FILES)
    second, fourth = (np.load(Path(lines[place]["folder"]) / "map.npy") for place in (1, 3))
    assert np.array_equal(second, fourth)


def test_a_picture_that_cannot_be_read_costs_its_own_row_only(run: Path, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "torn.png").write_bytes(photo.read_bytes()[:40])
    words = ["explain", run, tmp_path / "torn.png", photo, tmp_path / "none.png", "--out", tmp_path / "why"]
    outcome = striate_here(*words)
    assert outcome.code == 1
    plain(outcome, "2 of 3 pictures could not be read")
    assert outcome.out.startswith(f"unreadable  {tmp_path / 'torn.png'}: ")
    assert [one.name for one in (tmp_path / "why").iterdir()] == ["photo"]
    rows = [json.loads(line) for line in striate_here(*words, "--json").out.splitlines()]
    assert [set(row) == {"source", "error"} for row in rows] == [True, False, True]


def test_check_is_printed_and_kept(run: Path, photo: Path, tmp_path: Path) -> None:
    outcome = striate_here("explain", run, photo, "--out", tmp_path, "--check", "--seed", 4)
    told = json.loads((tmp_path / "explanation.json").read_text())["checks"]
    assert told["randomisation"]["seed"] == told["removal"]["seed"] == 4
    for sentence in told["sentences"]:
        assert sentence in outcome.out


def test_pseudonyms_name_no_picture(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_digit(tmp_path / "in" / "ZNMARK-7.png", 5)
    words = ["explain", run, "in/ZNMARK-7.png", "--pseudonyms"]
    outcome = striate_here(*words)
    assert (outcome.code, outcome.err) == (0, "")
    assert (
        striate_here("explain", run, "--maps", "in/ZNMARK-7.png", "--pseudonyms", "--out", "maps").code == 0
    )
    for path in [*tmp_path.glob("explanations/**/*"), *tmp_path.glob("maps/*")]:
        assert "znmark" not in path.name.lower()
        assert path.is_dir() or b"znmark" not in path.read_bytes().lower()
    assert "ZNMARK" not in outcome.out
    (folder,) = (tmp_path / "explanations").iterdir()
    assert re.fullmatch(r"image-[0-9a-f]{12}", folder.name)
    told = json.loads((folder / "explanation.json").read_text())
    assert (told["source"], told["picture"]["sha256"]) == (folder.name, None)
    assert json.loads(striate_here(*words, "--json").out)["source"] == told["source"]


# The network


def test_filters(run: Path, tmp_path: Path) -> None:
    told = one_line(striate_here("explain", run, "--filters", "--out", tmp_path, "--json"))
    assert told["layer"] == "stem.conv"
    assert [Path(path).name for path in told["files"]] == ["filters.png", "filters.svg", "filters.json"]
    weights = striate.Classifier.load(run).network_.stages["stem"].conv.weight.detach().numpy()
    norms = np.sqrt((weights**2).sum(axis=(1, 2, 3)))
    assert [row["norm"] for row in told["filters"]] == pytest.approx(norms.tolist(), rel=1e-5)
    assert opened(tmp_path / "filters.png").shape[1] > 400
    deeper = one_line(
        striate_here("explain", run, "--filters", "--stage", "stage2", "--out", tmp_path, "--json")
    )
    assert deeper["layer"].startswith("stage2.")


def test_maps_of_a_picture(run: Path, photo: Path, tmp_path: Path) -> None:
    words = ["explain", run, "--maps", photo, "--stage", "stage1", "--out", tmp_path]
    told = one_line(striate_here(*words, "--json"))
    names = ["stages.png", "stages.svg", "maps-stage1.png", "maps-stage1.svg", "maps-stage1.npy"]
    assert [Path(path).name for path in told["files"]] == names
    values = np.load(tmp_path / "maps-stage1.npy")
    assert list(values.shape) == told["shape"]
    classifier = striate.Classifier.load(run)
    expected = classifier.network_.run_to(classifier.explain(photo).inputs, "stage1")[0].detach().numpy()
    assert np.allclose(values, expected, atol=1e-5)
    assert told["strongest"][0] == int(values.max(axis=(1, 2)).argmax())
    assert str(tmp_path / "stages.png") in striate_here(*words).out


def test_channels_over_a_source(run: Path, data: Path, tmp_path: Path) -> None:
    words = ["explain", run, "--channel", "stage1:3", "--channel", "stage2:5", "--data", data]
    told = one_line(striate_here(*words, "--out", tmp_path, "--json"))
    assert told["images"] == IMAGES
    assert [(one["stage"], one["channel"]) for one in told["channels"]] == [("stage1", 3), ("stage2", 5)]
    classifier = striate.Classifier.load(run)
    for one in told["channels"]:
        activations = [nine["activation"] for nine in one["strongest"]]
        assert activations == sorted(activations, reverse=True)
        if not one["strongest"]:
            continue
        best = one["strongest"][0]
        maps = classifier.network_.run_to(
            classifier.explain(data / best["source"]).inputs, one["stage"]
        ).detach()
        assert float(maps[0, one["channel"]].max()) == pytest.approx(best["activation"], rel=1e-4)
    assert opened(tmp_path / "channels.png").shape[1] > 400
    assert "<svg" in (tmp_path / "channels.svg").read_text()


def test_where_classes_lie(run: Path, data: Path, tmp_path: Path) -> None:
    words = ["explain", run, "--class-map", "--data", data, "--out", tmp_path]
    told = one_line(striate_here(*words, "--json"))
    assert (told["images"], told["method"]) == (IMAGES, "pca")
    names = [*(f"class-map.{kind}" for kind in ("png", "svg", "csv", "json")), "projector_config.pbtxt"]
    assert {*names} <= {Path(path).name for path in told["files"]}
    rows = (tmp_path / "class-map.csv").read_text().splitlines()
    assert len(rows) == IMAGES + 1
    assert rows[1].startswith("0/0000.png,0,")
    assert (tmp_path / "projector" / "metadata.tsv").read_text().splitlines()[1] == "0\t0/0000.png"
    assert opened(tmp_path / "class-map.png").shape[1] > 400
    assert told["sentence"] in striate_here(*words).out


# Help and refusals


def test_help_lists_every_method_and_shows_examples_that_work(
    run: Path, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tuple(METHODS) == LISTED
    shown = striate_here("explain", "-h").out
    for method in METHODS:
        assert method in shown
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "first").symlink_to(run)
    shutil.copy(photo, tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"(?:Example:|^)\s+striate (explain .*)", shown, re.MULTILINE)
    assert len(examples) >= 3
    for example in examples:
        outcome = striate_here(*shlex.split(example))
        assert (outcome.code, outcome.err) == (0, ""), example


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['striate', 'explain', '-h']; import striate.cli as c\n"
        "try: c.main()\nexcept SystemExit: pass\n"
        "print('loaded', sorted({'torch', 'numpy', 'PIL', 'matplotlib'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded []"


def test_every_method_under_every_check(run: Path, data: Path, tmp_path: Path) -> None:
    classifier = striate.Classifier.load(run)
    told: list[str] = []
    found = striate.write_method_table(classifier, data, tmp_path, images=3, progress=told.append)
    content = json.loads((tmp_path / "methods.json").read_text())
    assert [row["method"] for row in content["rows"]] == [*METHODS, "random", "edges"]
    assert (content["images"], content["seed"]) == (3, 0)
    assert 0 <= content["right"] <= 3
    assert told[: len(METHODS)] == [method.title for method in METHODS.values()]
    page = (tmp_path / "methods.html").read_text()
    for method in METHODS.values():
        assert method.title in page
    assert found.content["sentence"] in found.to_text().replace("\n", " ")
    with pytest.raises(striate.UsageError, match="images=1: at least two are needed; 24 are common"):
        striate.write_method_table(classifier, data, tmp_path, images=1)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "give pictures to explain, or one of --filters"),
        (["PHOTO", "--filters"], 2, "given were pictures, --filters"),
        (["--filters", "--maps", "PHOTO"], 2, "given were --filters, --maps"),
        (["PHOTO", "--method", "gradcan"], 2, "did you mean gradcam?"),
        (["PHOTO", "--stage", "stage"], 2, "No stage 'stage' makes maps; did you mean stage"),
        (["PHOTO", "--class", "eleven"], 2, "The run has no class 'eleven'. Its classes: 0, 1"),
        (["PHOTO", "--set", "steps=4"], 2, "Grad-CAM has no option 'steps'; it has none."),
        (["PHOTO", "--method", "smooth_grad", "--set", "sample=4"], 2, "did you mean samples?"),
        (["PHOTO", "--method", "smooth_grad", "--set", "samples=4", "--set", "samples=5"], 2, "given twice"),
        (["PHOTO", "--data", "DATA"], 2, "--data goes with --channel, --class-map, --all-methods"),
        (["--filters", "--class", "3"], 2, "--class is about pictures"),
        (["--filters", "--stage", "stage9"], 2, "There is no convolution 'stage9'"),
        (["--maps", "PHOTO", "--stage", "stage9"], 2, "No stage 'stage9' makes maps"),
        (["--maps", "none.png"], 1, "none.png"),
        (["--channel", "stage1:3"], 2, "add --data SOURCE"),
        (["--class-map"], 2, "add --data SOURCE"),
        (["--all-methods"], 2, "add --data SOURCE"),
        (["--all-methods", "--data", "DATA", "--method", "gradcam"], 2, "--method is about pictures"),
        (["--all-methods", "--data", "DATA", "--stage", "stage9"], 2, "No stage 'stage9' makes maps"),
        (["--class-map", "--data", "digits", "--method", "umap"], 2, "Allowed: pca, tsne"),
        (["--channel", "stage1", "--data", "DATA"], 2, "such as --channel stage3:17"),
        (["--channel", "stage1:3", "--channel", "stage1:3", "--data", "DATA"], 2, "given twice"),
        (["--channel", "stage9:3", "--data", "DATA"], 2, "No stage 'stage9' makes maps"),
        (["--channel", "stage1:999", "--data", "DATA"], 2, "channels 0 to 15; got 999"),
        (["--channel", "stage1:3", "--data", "nowhere"], 1, "nowhere"),
    ],
)
def test_what_cannot_be_asked(
    run: Path, data: Path, photo: Path, tmp_path: Path, words: list[str], code: int, said: str, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [{"PHOTO": photo, "DATA": data}.get(word, word) for word in words]
    refused(striate_here("explain", run, *given), code, said)
    assert not list(tmp_path.iterdir())


def test_no_run_and_no_maps(pictures_run: Path, pictures: Path, tmp_path: Path) -> None:
    picture = pictures / "dark" / "000.png"
    refused(striate_here("explain", tmp_path, picture), 1, "not a run folder")
    refused(
        striate_here("explain", pictures_run, picture), 2, "no stage of this network makes any", "saliency"
    )
    outcome = striate_here("explain", pictures_run, picture, "--method", "saliency", "--out", tmp_path)
    assert (outcome.code, outcome.err) == (0, "")


# The report


def test_the_report_shows_what_it_looked_at(run: Path, tmp_path: Path) -> None:
    assert striate_here("evaluate", run, "--out", tmp_path, "--quiet").code == 0
    report, inside = ((tmp_path / name).read_text() for name in ("report.html", "inside.html"))
    for words in ("What it looked at", "Grad-CAM of stage", "Least certain first", 'href="inside.html"'):
        assert words in report
    assert 12 <= report.count("heat map for") <= 24
    for words in ("Filters of stem.conv", "Feature maps of stage3", "One test image, stage after stage"):
        assert words in inside
    for page in (report, inside):
        assert len(page) < 5_000_000
        assert "<script" not in page
        assert "http" not in re.sub(r'http-equiv|xmlns="[^"]*"', "", page)


def test_the_report_of_a_network_without_maps_says_so(pictures_run: Path, tmp_path: Path) -> None:
    assert striate_here("evaluate", pictures_run, "--out", tmp_path, "--quiet").code == 0
    report, inside = ((tmp_path / name).read_text() for name in ("report.html", "inside.html"))
    assert "no stage of this network makes any" in report
    assert "heat map for" not in report
    assert "No stage of this network makes maps" in inside
