"""First weights from a run, from a file, and by torchvision's name: what is taken, what is new, and what is said."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from small_task import same_weights
from torch import nn

import theirs
from striate import Classifier, ModelError, Network, Preparation, Recipe, RunError, UsageError
from striate.classifier.building import build, settle
from striate.classifier.material import Given, decode
from striate.classifier.weights import find_weights
from striate.files import sha256_of
from striate.training.events import Events

QUICK = Recipe(model="compact", epochs=1, batch_size=16)
COLUMN = "64 M 128 M 256 256 M 512 512 M 512 512 M"
OTHERS: dict[str, tuple[int, Callable[[], nn.Module]]] = {
    "alexnet": (63, lambda: theirs.AlexNet(5)),
    "vgg11_bn": (32, lambda: theirs.VGG(COLUMN, True, 5)),
    "googlenet": (64, lambda: theirs.GoogLeNet(5)),
    "resnet18": (32, lambda: theirs.ResNet((2, 2, 2, 2), False, 5)),
}
HEAVY = ("alexnet", "vgg11_bn")
TAKEN = "The head is taken too."


@dataclass
class Begun:
    """A network as training would begin with it."""

    network: Network
    recipe: Recipe
    preparation: Preparation
    notes: tuple[str, ...]


def task(
    classes: int = 5, channels: int = 3, side: int = 12, seed: int = 0, kind: str = "uint8"
) -> tuple[np.ndarray, np.ndarray]:
    """Eight random pictures of every class."""
    values = np.random.default_rng(seed).integers(0, 256, (8 * classes, side, side, channels))
    return values.astype(kind), np.arange(8 * classes) % classes


def begin(recipe: Recipe, given: tuple[np.ndarray, np.ndarray]) -> Begun:
    """What `fit` does before its first step."""
    origin = find_weights(recipe)
    settled = settle(recipe, origin)
    decoded = decode(Given(*given), settled, Events(), origin.preparation if origin else None)
    built = build(settled, decoded.preparation, decoded.images.classes, origin)
    return Begun(built.network.eval(), settled, decoded.preparation, built.notes)


def saved(folder: Path, recipe: Recipe, given: tuple[np.ndarray, np.ndarray]) -> Path:
    Classifier(recipe).fit(*given).save(folder)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of compact on grey pictures of 12 pixels and five classes."""
    return saved(tmp_path_factory.mktemp("weights") / "run", QUICK, task(channels=1))


@pytest.fixture(scope="module")
def resnet_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """torchvision's ResNet-18 for five classes."""
    path = tmp_path_factory.mktemp("weights") / "mine.pth"
    torch.manual_seed(0)
    torch.save(theirs.ResNet((2, 2, 2, 2), False, 5).state_dict(), path)
    return path


# a run


def test_a_run_brings_everything_where_the_task_is_the_same(run: Path) -> None:
    given = task(channels=1, seed=7)
    begun = begin(Recipe(weights=str(run)), given)
    trained = Classifier.load(run)
    assert begun.notes == (
        f"The network begins with the weights of {run}, a run of compact on 5 classes.",
        TAKEN,
        f"Pictures have 12 × 12 pixels, as those of {run} had; its mean and deviation are kept.",
    )
    assert begun.recipe.model == "compact"
    assert begun.recipe.weights == str(run)
    assert begun.recipe.weights_sha256 == sha256_of(run / "model.safetensors")
    assert begun.preparation == trained.preparation_
    for name, tensor in trained.network_.state_dict().items():
        assert torch.equal(begun.network.state_dict()[name], tensor), name


def test_other_classes_get_a_new_head_and_its_size_and_statistics_stay(run: Path) -> None:
    begun = begin(Recipe(weights=str(run)), task(classes=3, channels=1, side=20))
    trained = Classifier.load(run)
    assert begun.notes[1] == f"The head is new: the classes of {run} are others, or in another order."
    assert (begun.preparation.height, begun.preparation.mean) == (12, trained.preparation_.mean)
    fresh = begin(Recipe(model="compact", size=12), task(classes=3, channels=1, side=20))
    mine = begun.network.state_dict()
    for name, tensor in mine.items():
        source = fresh if name.startswith("head.") else Begun(trained.network_, *([None] * 3))
        assert torch.equal(tensor, source.network.state_dict()[name]), name


def test_the_same_classes_in_another_order_are_others(tmp_path: Path) -> None:
    X, y = task(classes=2, channels=1)
    numbers = np.array([2, 10])[y]
    run = saved(tmp_path / "run", QUICK, (X, numbers))
    assert Classifier.load(run).class_names_ == ("2", "10")
    begun = begin(Recipe(weights=str(run)), (X, numbers.astype(str)))  # as text, 10 comes before 2
    assert begun.notes[1] == f"The head is new: the classes of {run} are others, or in another order."
    assert begin(Recipe(weights=str(run)), (X, numbers)).notes[1] == TAKEN


def test_another_kind_of_head_is_new(run: Path) -> None:
    begun = begin(Recipe(weights=str(run), head="mlp"), task(channels=1))
    assert begun.notes[1] == f"The head is new: it is mlp, and that of {run} is own."


def test_a_grey_run_serves_colour_and_a_colour_run_grey(run: Path, tmp_path: Path) -> None:
    begun = begin(Recipe(weights=str(run)), task(channels=3))
    grey = Classifier.load(run).preparation_
    assert begun.preparation.mean == grey.mean * 3
    assert begun.preparation.std == grey.std * 3
    assert begun.notes[1:] == (
        "The first layer's weights were divided by 3 and repeated for each of 3 channels.",
        TAKEN,
        f"Pictures have 12 × 12 pixels, as those of {run} had; its grey mean and deviation are used for every colour.",
    )
    colour = saved(tmp_path / "colour", QUICK, task(channels=3))
    begun = begin(Recipe(weights=str(colour)), task(channels=1))
    known = Classifier.load(colour).preparation_
    assert begun.preparation.mean == pytest.approx((np.mean(known.mean),))
    assert begun.preparation.std == pytest.approx((np.mean(known.std),))
    assert begun.notes[-1].endswith("its mean and deviation are averaged over the colours for grey pictures.")


def test_a_grey_copy_gets_the_same_answer_from_the_colour_network(run: Path) -> None:
    grey, colour = (begin(Recipe(weights=str(run)), task(channels=channels)) for channels in (1, 3))
    images = torch.randn(4, 1, 12, 12)
    with torch.no_grad():
        torch.testing.assert_close(
            colour.network(images.expand(-1, 3, -1, -1)), grey.network(images), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("kind", ["int16", "float32"])
def test_numbers_that_mean_something_else_are_measured_anew(run: Path, kind: str) -> None:
    given = task(channels=1, kind=kind)
    begun = begin(Recipe(weights=str(run)), given)
    words = {"int16": "measured units", "float32": "floating-point values"}[begun.preparation.depth]
    assert begun.notes[-1] == (
        f"Pictures have 12 × 12 pixels, as those of {run} had; mean and deviation are those of the training images,"
        f" which are {words} and not grey levels."
    )
    assert begun.preparation.mean == begin(Recipe(model="compact"), given).preparation.mean


def test_sixteen_bits_have_the_same_scale(run: Path) -> None:
    begun = begin(Recipe(weights=str(run)), task(channels=1, kind="uint16"))
    assert begun.preparation.depth == "uint16"
    assert begun.notes[-1].endswith("; its mean and deviation are kept.")


def test_a_size_of_ones_own_is_said(run: Path) -> None:
    begun = begin(Recipe(weights=str(run), size=16), task(channels=1))
    assert begun.notes[-1].startswith(f"Pictures have 16 × 16 pixels, those of {run} had 12 × 12; its mean")


def test_the_architecture_and_the_patch_come_with_a_run(tmp_path: Path) -> None:
    recipe = QUICK.changed(activation="tanh", patch=10, head="mlp")
    run = saved(tmp_path / "run", recipe, task(channels=1))
    begun = begin(Recipe(weights=str(run)), task(channels=1))
    settled = begun.recipe
    assert (settled.activation, settled.patch, settled.head) == ("tanh", 10, "own")
    assert any(isinstance(module, nn.Tanh) for module in begun.network.modules())
    assert f"The network is changed as that of {run} is: activation=tanh." in begun.notes
    begun = begin(Recipe(weights=str(run), activation="sigmoid", size=14), task(channels=1))
    assert (begun.recipe.activation, begun.recipe.patch) == ("sigmoid", None)
    assert not any("changed as" in note for note in begun.notes)


def test_another_network_than_the_runs_is_refused(run: Path) -> None:
    with pytest.raises(UsageError) as raised:
        find_weights(Recipe(weights=str(run), model="lenet5"))
    assert str(raised.value) == (
        f"weights={run} are those of compact, and model=lenet5 is asked for;"
        " leave the model out, or take weights of lenet5."
    )
    with pytest.raises(ModelError, match=r"There is no model 'lenet6'; did you mean lenet5\?"):
        find_weights(Recipe(weights=str(run), model="lenet6"))


def test_googlenets_auxiliary_heads_are_new_for_other_classes(tmp_path: Path) -> None:
    recipe = Recipe(model="googlenet", epochs=1, batch_size=16, size=32)
    run = saved(tmp_path / "run", recipe, task(channels=1))
    begun = begin(Recipe(weights=str(run)), task(classes=3, channels=1))
    assert "The auxiliary heads at 4a and 4d are new." in begun.notes
    begun = begin(Recipe(weights=str(run)), task(channels=1))
    assert begun.notes[1] == TAKEN
    assert not any("auxiliary heads" in note for note in begun.notes)


# a file of striate's


def test_a_file_of_ones_own_brings_its_head_for_as_many_classes(run: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(run / "model.safetensors", tmp_path / "kept.safetensors"))
    begun = begin(Recipe(weights=str(path)), task(channels=1))
    assert begun.recipe.model == "compact"
    assert begun.notes == (
        f"The network begins with the weights of {path}, striate's compact alone.",
        TAKEN,
        f"It has as many classes, 5; whether they are these, {path} does not say.",
        f"{path} does not say how its pictures were prepared: mean and deviation are those of the training images.",
    )
    begun = begin(Recipe(weights=str(path)), task(classes=3, channels=1))
    assert begun.notes[1] == f"The head is new: that of {path} is for 5 classes."


def test_the_weights_in_a_run_folder_point_at_the_folder(run: Path) -> None:
    begun = begin(Recipe(weights=str(run / "model.safetensors")), task(channels=1))
    assert begun.notes[-2] == (
        f"The run folder {run}, named instead of its file, would bring its classes and preparation too."
    )


# torchvision's names


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in HEAVY)) for name in OTHERS]
)
@torch.no_grad()
def test_a_file_in_torchvisions_names_gives_its_logits(tmp_path: Path, name: str) -> None:
    side, make = OTHERS[name]
    torch.manual_seed(0)
    other, path = make().eval(), tmp_path / "theirs.pth"
    torch.save(other.state_dict(), path)
    before = sha256_of(path)
    recipe = Recipe(weights=str(path), size=side)
    images = torch.randn(2, 3, side, side)
    begun = begin(recipe, task(channels=3))
    assert begun.recipe.model == name
    assert distance(begun.network(images), other(images)) <= 1e-5
    assert begun.notes[0] == f"The network begins with the weights of {path}, torchvision's {name}."
    begun = begin(recipe, task(channels=1))
    grey = images[:, :1]
    assert distance(begun.network(grey), other(grey.expand(-1, 3, -1, -1))) <= 1e-5
    assert "averaged over the three colours and multiplied by 3 for grey images" in begun.notes[1]
    assert sha256_of(path) == before


def distance(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float(torch.linalg.vector_norm(found - expected) / torch.linalg.vector_norm(expected))


def test_a_linear_head_replaces_the_hidden_layers_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "theirs.pth"
    torch.save(theirs.VGG(COLUMN, False, 5).state_dict(), path)
    begun = begin(Recipe(weights=str(path), head="linear", size=32), task())
    assert [name for name, _ in begun.network.head.named_children()] == ["pool", "flatten", "output"]
    assert begun.notes[1] == f"The head is new: that of {path} has other layers."


def test_a_file_of_another_network_is_shown_like_a_diff(tmp_path: Path) -> None:
    path = tmp_path / "resnet34.pth"
    torch.save(theirs.ResNet((3, 4, 6, 3), False, 5).state_dict(), path)
    with pytest.raises(RunError) as raised:
        begin(Recipe(weights=str(path), model="resnet18", size=32), task())
    lines = str(raised.value).splitlines()
    assert lines[0] == f"{path} does not fit the network (- what the network has, + what the file has):"
    assert lines[1] == "+ stages.stage1.block3  12 tensors"
    assert len(lines) == 9


# the recipe


def test_weights_that_are_not_those_of_the_recipe(resnet_file: Path) -> None:
    recipe = Recipe(weights=str(resnet_file), weights_sha256="0" * 64)
    with pytest.raises(RunError) as raised:
        find_weights(recipe)
    assert str(raised.value) == (
        f"The weights {resnet_file} are not those that the recipe names: their SHA-256 is {sha256_of(resnet_file)},"
        f" and {'0' * 64} is expected. Bring those back, or leave weights_sha256 out."
    )
    with pytest.raises(UsageError, match="weights must say where they are"):
        find_weights(Recipe(weights_sha256="0" * 64))


def test_what_is_neither_run_nor_file_nor_name(tmp_path: Path) -> None:
    for text, words in (
        (
            str(tmp_path / "none"),
            "there is no such run folder or file. Published weights are torchvision:NAME",
        ),
        ("resnet18", "there is no such run folder or file; did you mean torchvision:resnet18?"),
        ("/dev/null", "there is no such run folder or file"),
        ("", "there is no such run folder or file"),
    ):
        with pytest.raises(UsageError) as raised:
            find_weights(Recipe(weights=text))
        assert str(raised.value).startswith(f"weights={text}: ")
        assert words in str(raised.value), text
    with pytest.raises(RunError, match=r"is not a run folder: it has no manifest\.json"):
        find_weights(Recipe(weights=str(tmp_path)))


def test_the_same_weights_begin_the_same_training(run: Path) -> None:
    given = task(classes=3, channels=1)
    recipe = Recipe(weights=str(run), epochs=2, batch_size=16, freeze="stage1")
    first, second = (Classifier(recipe).fit(*given) for _ in range(2))
    assert same_weights(first, second)
    assert first.about_["weights"] == [
        str(run),
        sha256_of(run / "model.safetensors"),
        *begin(recipe, given).notes,
    ]
    frozen = Classifier.load(run).network_.state_dict()
    for name, tensor in first.network_.state_dict().items():
        if name.startswith(("stages.stem.", "stages.stage1.")):
            assert torch.equal(tensor, frozen[name]), name
