"""timm's networks by name: trained, judged, asked, frozen, saved, loaded, summarised."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import striate
from striate import Classifier, ModelError, Recipe, RunError
from striate.cli import app
from striate.models.zoo import timm_weights, zoo_entry

timm: Any = pytest.importorskip("timm")

# name → side of the pictures, and the stages that are found
NETWORKS: dict[str, tuple[int, tuple[str, ...]]] = {
    "resnet18": (32, ("conv1", "bn1", "act1", "maxpool", "layer1", "layer2", "layer3", "layer4")),
    "vgg11": (32, ("features", "pre_logits")),
    "mobilenetv3_small_050": (
        32,
        ("conv_stem", "bn1", "blocks", "global_pool", "conv_head", "norm_head", "act2"),
    ),
    "convnext_atto": (32, ("stem", "stages")),
    "vit_tiny_patch16_224": (32, ("features",)),
}


def recipe(name: str, **settings: Any) -> Recipe:
    return Recipe(model=f"timm:{name}", epochs=1, batch_size=16, size=NETWORKS[name][0], **settings)


@pytest.mark.parametrize("name", NETWORKS)
def test_from_pictures_to_a_verdict_and_back(name: str, pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    fitted = Classifier(recipe(name)).fit(striate.load_images(pictures), out=folder)
    assert fitted.network_.stage_names == NETWORKS[name][1]
    loaded = Classifier.load(folder)
    assert loaded.evaluate().accuracy == fitted.evaluate().accuracy
    asked = list(loaded.answers([pictures]))
    assert [a.probabilities for a in asked] == [a.probabilities for a in fitted.answers([pictures])]
    about = json.loads((folder / "model.json").read_text())
    assert about["provenance"]["versions"]["timm"] == timm.__version__
    assert about["multiply_adds"] > 0
    result = CliRunner().invoke(app, ["evaluate", str(folder)])
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("extract", [False, True])
def test_frozen_stages_keep_every_bit(name: str, extract: bool, pictures: Path) -> None:
    images = striate.load_images(pictures)
    asked = recipe(name, freeze="all", extract=extract, head="mlp", dropout=0.2)
    torch.manual_seed(0)
    fitted = Classifier(asked).fit(images)
    again = Classifier(asked.changed(learning_rate=1e-9)).fit(images)
    one, other = fitted.network_.state_dict(), again.network_.state_dict()
    changed = {key for key in one if not torch.equal(one[key], other[key])}
    assert changed
    assert all(key.startswith("head.") for key in changed)


def test_up_to_one_stage(pictures: Path) -> None:
    fitted = Classifier(recipe("resnet18", freeze="layer2")).fit(striate.load_images(pictures))
    assert fitted.network_.frozen == ("conv1", "bn1", "act1", "maxpool", "layer1", "layer2")


@pytest.mark.parametrize("name", NETWORKS)
def test_ours_answers_as_timms(name: str) -> None:
    side = NETWORKS[name][0]
    wanted = {"img_size": side} if name.startswith("vit") else {}
    torch.manual_seed(3)
    theirs = timm.create_model(name, num_classes=7, in_chans=1, **wanted).eval()
    torch.manual_seed(3)
    ours = striate.create_model(f"timm:{name}", classes=7, channels=1, size=(side, side)).eval()
    images = torch.randn(2, 1, side, side)
    assert torch.equal(ours(images), theirs(images))
    assert sum(w.numel() for w in ours.parameters()) == sum(w.numel() for w in theirs.parameters())


def test_dropout_is_the_networks_drop_rate() -> None:
    network = striate.create_model("timm:resnet18", classes=3, size=(32, 32), dropout=0.3)
    assert [name for name, _ in network.head.named_children()] == ["global_pool", "dropout", "fc"]
    assert network.stage_names[-1] == "layer4"


def test_a_table_of_its_layers(tmp_path: Path) -> None:
    drawing = tmp_path / "drawing.svg"
    result = CliRunner().invoke(app, ["models", "timm:resnet18", "--draw", str(drawing)])
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(f"timm:resnet18: timm's resnet18\ntimm {timm.__version__}\n")
    summary = striate.summarize(
        striate.create_model("timm:resnet18", classes=1000, weights=False), (3, 224, 224)
    )
    own = striate.summarize(striate.create_model("resnet18", classes=1000, weights=False), (3, 224, 224))
    assert (summary.parameters, summary.multiply_adds) == (own.parameters, own.multiply_adds)
    last = [
        [row for row in table.rows if row.stage == stage][-1]
        for table, stage in ((summary, "layer4"), (own, "stage4"))
    ]
    assert last[0].receptive_field == last[1].receptive_field
    assert "layer4" in drawing.read_text()


def test_attention_is_counted() -> None:
    """Published: 1.26 G multiply-adds at 224 (Steiner et al. 2022, as timm's table of results lists it)."""
    network = striate.create_model("timm:vit_tiny_patch16_224", classes=1000, weights=False)
    assert striate.summarize(network, (3, 224, 224)).multiply_adds == pytest.approx(1.26e9, rel=0.02)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("timm:resnet81", "timm has no model 'resnet81'; did you mean timm:resnet"),
        ("timm:hf-hub:someone/something", "timm has no model 'hf-hub:someone/something';"),
        ("timm:local-dir:/tmp", "timm has no model 'local-dir:/tmp';"),
    ],
)
def test_unknown_names(name: str, words: str) -> None:
    with pytest.raises(ModelError) as raised:
        striate.create_model(name, classes=3)
    assert str(raised.value).startswith(words)


def test_a_size_that_it_does_not_take() -> None:
    with pytest.raises(
        ModelError, match=r"The network given does not take images|cannot be built for 3 classes"
    ):
        striate.create_model("timm:vit_tiny_patch16_224", classes=3, size=(9, 9))


def test_its_weights_as_first_weights(monkeypatch: pytest.MonkeyPatch, pictures: Path) -> None:
    """Without a download: timm's door to its weights gives a network of fixed random ones."""
    create = timm.create_model

    def published(name: str, pretrained: bool = False, **wanted: Any) -> Any:
        if pretrained:
            torch.manual_seed(11)
            return create(name, **wanted)
        return create(name, **wanted)

    monkeypatch.setattr(timm, "create_model", published)
    weights = timm_weights("timm:resnet18.a1_in1k")
    assert weights.size == (224, 224)
    assert weights.scaling.mean == (0.485, 0.456, 0.406)
    assert weights.classes == 1000
    images = striate.load_images(pictures)
    for model in ("auto", "resnet18"):
        asked = Recipe(model=model, weights="timm:resnet18.a1_in1k", size=32, epochs=1, freeze="all")
        fitted = Classifier(asked).fit(images)
        assert fitted.recipe_.model == ("timm:resnet18.a1_in1k" if model == "auto" else "resnet18")
        assert fitted.preparation_.mean == pytest.approx(((0.485 + 0.456 + 0.406) / 3,))  # pictures are grey
        stem = next(fitted.network_.stages.parameters()).numpy(force=True)
        theirs = weights.published["conv1.weight"].numpy()
        np.testing.assert_allclose(stem, theirs.sum(axis=1, keepdims=True), atol=1e-6)
        said = " ".join(fitted.about_["weights"])
        assert "is new" in said
        assert "averaged over the three colours" in said


def test_weights_that_cannot_be_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(name: str, **_: Any) -> Any:
        raise OSError("no route to host\nand more")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(RunError) as raised:
        timm_weights("timm:resnet18")
    assert str(raised.value) == (
        "The weights of timm:resnet18 could not be downloaded from timm/resnet18.a1_in1k: no route to host. Where there"
        " is no network, download the file elsewhere and name it by --weights FILE."
    )


def test_what_an_entry_knows() -> None:
    entry = zoo_entry("timm:convnext_atto")
    assert entry.default_input == (3, 224, 224)
    assert entry.default_classes == 1000
    assert entry.paper == f"timm {timm.__version__}"
