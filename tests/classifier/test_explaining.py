"""`Classifier.explain`: the picture, the class and the map it is about; what it writes; what it refuses."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from captum.attr import LayerGradCam

from explained import digit, opened, train_with_maps, write_digit, write_digits
from striate import Classifier, ImageError, ModelError, Reason, UsageError, create_model, model_names
from striate.classifier.explaining.files import FILES
from striate.classifier.explaining.options import options_of, read_options
from striate.classifier.explaining.question import Question
from striate.classifier.explaining.reason import explain_one
from striate.classifier.prediction import Predictor
from striate.data.batches import to_input
from striate.data.packing.digest import pixel_digest
from striate.explanation import METHODS, attribute
from striate.pixels import Preparation

BASICS = ("compact", "lesson", "lenet5", "lenet5_1998", "mlp")
SMALL = {"resnet20": 32, **dict.fromkeys(BASICS, 28)}
SIDES = {"alexnet": 63, "alexnet2012": 63, "zfnet": 47, "googlenet2014": 31}
CHEAP = {
    "smooth_grad": {"samples": 2},
    "integrated_gradients": {"steps": 2},
    "occlusion": {"window": 12, "stride": 8},
}
"""Options that make the slow methods quick."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("explained")
    return train_with_maps(write_digits(root / "digits"), root / "run")


@pytest.fixture(scope="module")
def classifier(run: Path) -> Classifier:
    return Classifier.load(run)


def predictor_of(name: str, side: int, preparation: dict[str, object] | None = None) -> Predictor:
    """An untrained network of the catalogue with its preparation."""
    channels = 1 if name in (*BASICS, "lenet5_1998") else 3
    given = Preparation(
        **{"height": side, "width": side, "channels": channels, "depth": "uint8", **(preparation or {})}
    )
    _, height, width = given.input_shape()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = create_model(name, classes=10, channels=channels, size=(height, width))
    return Predictor(network.eval(), given, tuple("abcdefghij"))


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


# The map


def test_the_map_is_captums_grad_cam_of_the_picture_as_predict_reads_it(classifier: Classifier) -> None:
    reason = classifier.explain(digit(5))
    preparation = classifier.preparation_
    pixels = preparation.pixels(digit(5)[:, :, None])
    scaled = (pixels / 255 - np.array(preparation.mean)) / np.array(preparation.std)
    inputs = torch.from_numpy(scaled.transpose(2, 0, 1)[None].astype(np.float32))
    assert torch.allclose(reason.inputs, inputs, atol=1e-5)
    network, stage = classifier.network_, str(reason.stage)
    layer = LayerGradCam(network, network.stages[stage])
    expected = layer.attribute(inputs, target=reason.target, relu_attributions=True).detach()
    expected = F.interpolate(expected, (16, 16), mode="bilinear", align_corners=False)[0, 0].numpy()
    assert reason.map.shape == (16, 16)
    assert np.abs(reason.map - expected).max() <= 1e-4 * np.abs(expected).max()
    assert np.array_equal(reason.picture, pixels)


def test_the_answer_is_that_of_predict_one_to_the_last_bit(classifier: Classifier, tmp_path: Path) -> None:
    path = write_digit(tmp_path / "photo.png", 7)
    for image in (path, str(path), path.read_bytes(), digit(7)):
        reason, answer = classifier.explain(image), classifier.predict_one(image)
        assert reason.answer == answer
        assert (reason.label, reason.probability) == (answer.label, answer.probability)
        assert reason.source == answer.source


def test_another_class_has_its_own_map_and_probability(classifier: Classifier) -> None:
    predicted = classifier.explain(digit(5), method="gradient_input")
    other = next(name for name in classifier.class_names_ if name != predicted.label)
    for label in (other, int(other)):
        reason = classifier.explain(digit(5), method="gradient_input", label=label)
        assert (reason.label, reason.answer) == (other, predicted.answer)
        assert reason.probability == predicted.answer.probabilities[other]
        assert not np.array_equal(reason.map, predicted.map)


def test_the_network_is_left_as_it_was(classifier: Classifier) -> None:
    network = classifier.network_
    before = {name: value.clone() for name, value in network.state_dict().items()}
    wanted = [parameter.requires_grad for parameter in network.parameters()]
    for method in METHODS:
        classifier.explain(digit(3), method=method, **CHEAP.get(method, {}))
    classifier.explain(digit(3)).check()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert [parameter.requires_grad for parameter in network.parameters()] == wanted
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not network.training


@pytest.mark.parametrize("method", ["gradcam", "gradient_input"])
def test_a_patch_has_its_map_where_it_lies_in_the_picture(method: str) -> None:
    predictor = predictor_of("compact", 24, {"height": 24, "width": 30, "patch": (16, 20)})
    picture = noise(24, 30, 1)
    reason = explain_one(predictor, picture, Question(method=method))
    assert reason.box == (4, 5, 16, 20)
    inputs = to_input(picture[None], predictor.preparation)
    target = torch.tensor([reason.target])
    part = attribute(predictor.network, inputs, target, method=method).maps[0].numpy()
    assert np.array_equal(reason.map[4:20, 5:25], part)
    outside = reason.map.copy()
    outside[4:20, 5:25] = 0
    assert part.any()
    assert not outside.any()
    grey, drawn = np.repeat(picture, 3, axis=2), reason.overlay()
    inside = np.zeros((24, 30), bool)
    inside[4:20, 5:25] = True
    assert np.array_equal(drawn[~inside], grey[~inside])
    assert (drawn[inside] != grey[inside]).any(axis=1).mean() > 0.9


def test_a_dicom_file_is_explained_at_its_full_depth(tmp_path: Path) -> None:
    pydicom = pytest.importorskip("pydicom")
    values = (np.arange(32 * 32, dtype=np.uint16) * 61 + 7).reshape(32, 32)
    path = tmp_path / "scan.dcm"
    write_dicom(pydicom, path, values)
    predictor = predictor_of("compact", 32, {"depth": "uint16"})
    from_file = explain_one(predictor, path, Question(method="gradient_input"))
    from_array = explain_one(predictor, values, Question(method="gradient_input"))
    assert np.array_equal(from_file.map, from_array.map)
    assert from_file.picture.dtype == np.uint16
    assert np.array_equal(from_file.picture[:, :, 0], values)
    eight = explain_one(predictor, (values >> 8 << 8).astype(np.uint16), Question(method="gradient_input"))
    assert not np.array_equal(from_file.map, eight.map)


def write_dicom(pydicom, path: Path, values: np.ndarray) -> None:
    data = pydicom.dataset.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    data.SOPClassUID, data.SOPInstanceUID = pydicom.uid.SecondaryCaptureImageStorage, "1.2.3.4"
    data.Rows, data.Columns = values.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    data.PixelData = values.astype("<u2").tobytes()
    data.save_as(path, enforce_file_format=True)


QUICK = (*SMALL, *SIDES, "vgg11_bn", "googlenet", "resnet18", "resnet50")


@pytest.mark.parametrize(
    "name",
    [name if name in SMALL else pytest.param(name, marks=pytest.mark.slow) for name in model_names()],
)
def test_every_network_by_every_method_is_explained_or_refused_in_a_sentence(name: str) -> None:
    side = SMALL.get(name, SIDES.get(name, 32))
    predictor = predictor_of(name, side)
    channels = predictor.preparation.channels
    picture, explained = noise(side, side, channels), []
    for method in METHODS:
        question = Question(method=method, options=CHEAP.get(method, {}))
        try:
            reason = explain_one(predictor, picture, question)
        except ModelError as error:
            said = str(error)
            assert METHODS[method].title in said
            assert "Methods that can be: " in said
            assert said.endswith(".")
            continue
        explained.append(method)
        assert reason.map.shape == (side, side)
        assert np.isfinite(reason.map).all()
        assert reason.overlay().shape == (side, side, 3)
    assert {"saliency", "gradient_input", "integrated_gradients", "smooth_grad", "occlusion"} <= {*explained}
    assert ("gradcam" in explained) == (name != "mlp")


# Its files


def test_the_files_hold_the_map_and_say_how(classifier: Classifier, tmp_path: Path) -> None:
    path = write_digit(tmp_path / "photo.png", 5)
    for method, options in (("gradcam", {}), ("integrated_gradients", {"steps": 8})):
        folder = tmp_path / method
        reason = classifier.explain(path, method=method, **options)
        reason.save(folder)
        assert {one.name for one in folder.iterdir()} == set(FILES)
        told = json.loads((folder / "explanation.json").read_text())
        assert {name: told[name] for name in reason.to_dict()} == reason.to_dict()
        assert (told["method"], told["options"], told["checks"]) == (method, options, None)
        assert told["picture"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert told["picture"]["digest"] == pixel_digest(digit(5)[:, :, None])
        assert np.array_equal(np.load(folder / "map.npy"), reason.map)
        assert np.array_equal(np.load(folder / "raw.npy"), reason.raw)
        grey = opened(folder / "map.png").astype(float)
        zero = 32768 if reason.about.signed else 0
        limit = np.abs(reason.map).max()
        back = (grey - zero) / (65535 - zero) * limit
        assert np.abs(back - reason.map).max() <= limit / 30000
        assert f"{limit:.6g} is 65535" in told["files"]["map.png"]
        assert opened(folder / "picture.png").shape == (16, 16)
        drawn = opened(folder / "overlay.png")
        assert np.array_equal(drawn[8::16, 8::16], reason.overlay())


def test_the_digest_is_that_of_splits_csv(run: Path, classifier: Classifier, tmp_path: Path) -> None:
    reason = classifier.explain(write_digit(tmp_path / "one.png", 0))
    lines = (run / "splits.csv").read_text().splitlines()
    line = next(line for line in lines if line.startswith("0/0000.png,"))
    assert reason.digest in line.split(",")


def test_the_same_question_has_the_same_answer(classifier: Classifier) -> None:
    for method in METHODS:
        one, two = (classifier.explain(digit(9), method=method, **CHEAP.get(method, {})) for _ in range(2))
        assert np.array_equal(one.map, two.map)


def test_overlays_follow_alpha(classifier: Classifier) -> None:
    reason = classifier.explain(digit(5), method="gradient_input")
    assert np.array_equal(reason.overlay(0.0), np.repeat(reason.picture, 3, axis=2))
    full = reason.overlay(1.0)
    row, column = np.unravel_index(np.abs(reason.map).argmax(), reason.map.shape)
    assert full[row, column].tolist() in ([5, 48, 97], [103, 0, 31])


def test_checks_are_kept_beside_the_reason(classifier: Classifier, tmp_path: Path) -> None:
    reason: Reason = classifier.explain(digit(5))
    checks = reason.check(seed=3)
    assert checks.removal.to_dict()["seed"] == 3
    assert checks.randomisation.to_dict()["verdict"] in ("changes", "does not change", "undecided")
    reason.save(tmp_path, checks=checks)
    told = json.loads((tmp_path / "explanation.json").read_text())
    assert told["checks"] == json.loads(json.dumps(checks.to_dict()))


# Its options


def test_options_are_the_keyword_parameters_of_the_method() -> None:
    assert list(options_of(METHODS["smooth_grad"])) == ["samples", "sigma", "seed"]
    assert list(options_of(METHODS["gradcam"])) == []


@pytest.mark.parametrize(
    ("method", "text", "value"),
    [
        ("smooth_grad", "samples=8", 8),
        ("smooth_grad", " sigma = 0.25 ", 0.25),
        ("integrated_gradients", "steps=none", None),
        ("integrated_gradients", "steps=16", 16),
        ("integrated_gradients", "baseline=-0.5", [[[-0.5]]]),
        ("integrated_gradients", "baseline=0.5,-1,2", [[[0.5]], [[-1.0]], [[2.0]]]),
        ("occlusion", "window=5", 5),
        ("occlusion", "window=5,7", (5, 7)),
        ("occlusion", "stride=none", None),
        ("occlusion", "fill=0.5", 0.5),
        ("occlusion", "fill=0.5,-1,2", [[[0.5]], [[-1.0]], [[2.0]]]),
        ("occlusion", "measure=logit", "logit"),
    ],
)
def test_options_are_read_from_text(method: str, text: str, value: object) -> None:
    (read,) = read_options(METHODS[method], [text]).values()
    assert (read.tolist() if isinstance(read, torch.Tensor) else read) == value
    assert type(read) is type(value) or isinstance(read, torch.Tensor)


@pytest.mark.parametrize(
    ("method", "text", "words"),
    [
        ("smooth_grad", "sample=8", "has no option 'sample'; did you mean samples?"),
        ("gradcam", "steps=8", "Grad-CAM has no option 'steps'; it has none."),
        ("smooth_grad", "samples", "write an option of the method and a value"),
        ("smooth_grad", "samples=", "write an option of the method and a value"),
        ("smooth_grad", "samples=many", "samples is a whole number."),
        ("smooth_grad", "samples=2.5", "samples is a whole number."),
        ("integrated_gradients", "steps=few", "steps is a whole number or none."),
        ("integrated_gradients", "baseline=black", "baseline is a number, or one a channel"),
        ("occlusion", "window=5,7,9", "window is a whole number or a whole number,a whole number or none."),
    ],
)
def test_options_that_are_none_are_refused_in_a_sentence(method: str, text: str, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_options(METHODS[method], [text])
    assert words in str(raised.value)


def test_an_option_changes_the_map_and_is_told(classifier: Classifier) -> None:
    few, more = (classifier.explain(digit(5), method="smooth_grad", samples=n) for n in (1, 3))
    assert not np.array_equal(few.map, more.map)
    assert more.to_dict()["options"] == {"samples": 3}
    told = classifier.explain(digit(5), method="occlusion", fill=torch.zeros(1, 1, 1)).to_dict()
    assert told["options"] == {"fill": [[[0.0]]]}


# What is refused


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"method": "gradcamp"}, "There is no method 'gradcamp'; did you mean gradcam?"),
        ({"stage": "stage9"}, "No stage 'stage9' makes maps; did you mean"),
        ({"method": "saliency", "stage": "stage1"}, "leave stage out"),
        ({"label": "ten"}, "The run has no class 'ten'. Its classes: 0, 1, 2"),
        ({"label": 10}, "The run has no class '10'. Did you mean"),
        ({"method": "smooth_grad", "samples": 0}, "samples=0"),
        ({"method": "smooth_grad", "sample": 4}, "did you mean samples?"),
        ({"method": "occlusion", "measure": "odds"}, "Allowed: probability, logit"),
    ],
)
def test_a_question_that_cannot_be_answered(classifier: Classifier, asked: dict, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        classifier.explain(digit(5), **asked)
    assert words in str(raised.value)


def test_the_question_is_checked_before_the_picture_is_read(classifier: Classifier, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no method"):
        classifier.explain(tmp_path / "missing.png", method="shap")
    with pytest.raises(ImageError, match=r"missing\.png"):
        classifier.explain(tmp_path / "missing.png")
    with pytest.raises(ImageError, match="not a picture"):
        classifier.explain(b"hello")


def test_a_network_without_maps_names_what_can_be_asked() -> None:
    predictor = predictor_of("mlp", 28)
    with pytest.raises(ModelError) as raised:
        explain_one(predictor, noise(28, 28, 1), Question())
    said = str(raised.value)
    assert said.startswith(
        "Grad-CAM explains maps, and no stage of this network makes any. Methods that can be: "
    )
    named = said.partition("can be: ")[2].rstrip(".").split(", ")
    assert "saliency" in named
    assert not {"gradcam", "layercam", "gradcam_plus_plus"} & {*named}
    for method in named:
        explain_one(predictor, noise(28, 28, 1), Question(method=method, options=CHEAP.get(method, {})))
