"""Weights by torchvision's name: downloaded when asked for and never else, verified, and without a network told of."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import theirs
from striate import ModelError, Recipe, RunError, UsageError
from striate.classifier import origins
from striate.classifier.building import build, settle
from striate.classifier.material import Given, decode
from striate.classifier.weights import find_weights
from striate.files import sha256_of
from striate.models import published
from striate.training.events import Events

ASKED: list[str] = []
RECIPE = Recipe(weights="torchvision:resnet18")


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return theirs.ResNet((2, 2, 2, 2), False, 1000).state_dict()


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, state: dict[str, torch.Tensor]
) -> Iterator[tuple[str, Path]]:
    """The address of a folder on a local server, and the file in it that passes for torchvision's."""
    folder = tmp_path_factory.mktemp("served")
    torch.save(state, folder / "plain.pth")
    file = (folder / "plain.pth").rename(folder / f"resnet18-{sha256_of(folder / 'plain.pth')[:8]}.pth")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))

        def do_GET(self) -> None:
            ASKED.append(self.path)
            super().do_GET()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (the base's name)
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", file
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: tuple[str, Path]) -> Path:
    """A data home of its own, and the local server in the place of torchvision's."""
    address, file = served
    monkeypatch.setenv("STRIATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(origins, "PUBLISHED_AT", address)
    monkeypatch.setitem(published.PUBLISHED_FILES, "resnet18", file.name)
    ASKED.clear()
    return tmp_path / "home" / "weights"


class Heard(Events):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def said(self, text: str) -> None:
        self.texts.append(text)


def test_a_name_is_downloaded_once_and_converted_once(
    served: tuple[str, Path], home: Path, tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    address, file = served
    heard = Heard()
    first = find_weights(RECIPE, heard)
    assert first is not None
    assert heard.texts == [f"Downloading {address}{file.name} to {home / file.name}."]
    assert (home / file.name).read_bytes() == file.read_bytes()
    (kept,) = (tmp_path / "cache" / "weights").iterdir()
    assert kept.name == f"{first.sha256}.safetensors"
    assert all(torch.equal(tensor, state[name]) for name, tensor in load_file(kept).items())
    second = find_weights(RECIPE, heard)
    assert second is not None
    assert (len(heard.texts), len(ASKED)) == (1, 1)
    assert (first.source, first.model, first.sha256) == ("torchvision:resnet18", "resnet18", sha256_of(file))
    assert all(torch.equal(tensor, first.tensors[name]) for name, tensor in second.tensors.items())


def test_its_size_and_scaling_are_imagenets_and_its_logits_torchvisions(
    state: dict[str, torch.Tensor],
) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (20, 9, 9, 1), dtype=np.uint8)
    for recipe, side in ((RECIPE, 224), (RECIPE.changed(size=32), 32)):
        origin = find_weights(recipe)
        assert origin is not None
        settled = settle(recipe, origin)
        decoded = decode(Given(pictures, np.arange(20) % 2), settled, Events(), origin.preparation)
        built = build(settled, decoded.preparation, ("a", "b"), origin)
        assert decoded.preparation.input_shape() == (1, side, side)
        assert decoded.preparation.mean == pytest.approx((np.mean([0.485, 0.456, 0.406]),))
        assert decoded.preparation.std == pytest.approx((np.mean([0.229, 0.224, 0.225]),))
        as_there = "as those of" if side == 224 else "those of"
        sizes = f"{as_there} torchvision:resnet18 had" + (" 224 × 224" if side == 32 else "")
        assert built.notes == (
            "The network begins with the weights of torchvision:resnet18, torchvision's resnet18 of ImageNet's 1,000"
            " classes.",
            "The first layer's weights were averaged over the three colours and multiplied by 3 for grey images.",
            "The head's output is new, for 2 classes instead of 1,000.",
            f"Pictures have {side} × {side} pixels, {sizes}; its mean and deviation are averaged over the colours for"
            " grey pictures.",
        )
    other = theirs.ResNet((2, 2, 2, 2), False, 1000).eval()
    other.load_state_dict(state)
    other.fc = torch.nn.Identity()
    images = torch.randn(2, 1, 32, 32)
    with torch.no_grad():
        found = built.network.eval().features(images).mean(dim=(2, 3))
        expected = other(images.expand(-1, 3, -1, -1))
    assert torch.linalg.vector_norm(found - expected) <= 1e-5 * torch.linalg.vector_norm(expected)


def test_without_a_network_the_place_of_the_file_is_told(
    served: tuple[str, Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = served[1].name
    monkeypatch.setattr(origins, "PUBLISHED_AT", "http://127.0.0.1:9/")
    with pytest.raises(RunError) as raised:
        find_weights(RECIPE)
    assert str(raised.value) == (
        f"{name} could not be downloaded (there is no connection to 127.0.0.1:9): fetch http://127.0.0.1:9/{name} by"
        f" other means as {home / name}, and the same command will verify and use it."
    )
    (home / name).write_bytes(served[1].read_bytes())
    found = find_weights(RECIPE)
    assert found is not None
    assert found.model == "resnet18"


@pytest.mark.parametrize("content", [b"<html>403</html>", b"PK\x03\x04 and no more", b""])
def test_another_file_than_the_published_one_is_not_kept(
    served: tuple[str, Path], home: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    other = "resnet18-00000000.pth"
    (served[1].parent / other).write_bytes(content)
    monkeypatch.setitem(published.PUBLISHED_FILES, "resnet18", other)
    with pytest.raises(
        RunError, match=rf"^{other} is not the published file: its SHA256 is \w+, and 00000000 is exp"
    ):
        find_weights(RECIPE)
    assert not list(home.glob("*.pth"))


def test_an_altered_file_is_not_used_and_not_removed(served: tuple[str, Path], home: Path) -> None:
    home.mkdir(parents=True)
    path, content = home / served[1].name, served[1].read_bytes()
    for altered in (content[:-1], content[:50_000] + b"\0" + content[50_001:], b""):
        path.write_bytes(altered)
        with pytest.raises(
            RunError, match=r"is not the published file: .*; move .* away and run the command again"
        ):
            find_weights(RECIPE)
        assert path.read_bytes() == altered
    assert ASKED == []


@pytest.mark.parametrize(
    ("recipe", "error", "words"),
    [
        (
            {"weights": "torchvision:resnet81"},
            ModelError,
            "torchvision publishes no weights of 'resnet81'; did you",
        ),
        ({"weights": "torchvision:"}, ModelError, "torchvision publishes no weights of ''; Allowed: alexnet"),
        (
            {"weights": "torchvision:vgg16", "size": 16},
            ModelError,
            "the smallest square image it takes is 32 × 32",
        ),
        (
            {"weights": "torchvision:vgg16", "model": "vgg19"},
            UsageError,
            "vgg16, and model=vgg19 is asked for",
        ),
        (
            {"weights": "torchvision:vgg16", "model": "vgg61"},
            ModelError,
            "There is no model 'vgg61'; did you mean",
        ),
    ],
)
def test_what_cannot_go_well_downloads_nothing(
    recipe: dict[str, object], error: type[Exception], words: str, home: Path
) -> None:
    with pytest.raises(error) as raised:
        find_weights(Recipe(**recipe))
    assert words in str(raised.value)
    assert ASKED == []
    assert not home.exists()
