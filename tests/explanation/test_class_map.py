"""Where classes lie: what the last layer reads, the plane against other libraries, and TensorBoard's own reader."""

import copy
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from networks_to_explain import images_for, network_to_explain
from PIL import Image
from torch import nn

from striate.drawing.class_map import MARKERS, class_style, figure_bytes
from striate.errors import ModelError, UsageError
from striate.explanation.class_map import class_map, penultimate, principal_components
from striate.explanation.projector import sprite, write_projector
from striate.models import Network, create_model


@pytest.mark.parametrize("name", ["lenet5", "compact", "resnet18_small", "googlenet"])
def test_the_last_layer_makes_the_logits_of_the_features(name: str) -> None:
    network, (inputs, _) = network_to_explain(name, "trained"), images_for(name, images=4)
    features = penultimate(network, [inputs[:3], inputs[3:]])
    layer = network.head.get_submodule("output")
    with torch.no_grad():
        expected = network(inputs).numpy()
    weight, bias = (layer.get_parameter(word).detach().numpy() for word in ("weight", "bias"))
    assert features @ weight.T + bias == pytest.approx(expected, abs=1e-4)


def test_heads_of_other_kinds() -> None:
    mlp = create_model("mlp", classes=5, channels=1, size=(8, 8)).eval()  # its head is the layer itself
    images = torch.randn(3, 1, 8, 8)
    with torch.no_grad():
        assert torch.allclose(mlp.head(torch.from_numpy(penultimate(mlp, [images]))), mlp(images), atol=1e-5)
        digits = torch.randn(2, 1, 28, 28)
        lenet = create_model("lenet5_1998", classes=10).eval()
        codes = lenet.head.get_submodule("output").get_buffer("codes")
        features = torch.from_numpy(penultimate(lenet, [digits]))
        distances = -(features[:, None] - codes).square().sum(dim=2)
        assert torch.allclose(distances, lenet(digits), atol=1e-2)
        head = nn.Sequential(nn.Conv2d(1, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        pooled = Network({"relu": nn.ReLU()}, head)
        assert penultimate(pooled, [images]) == pytest.approx(
            images.relu().mean(dim=(2, 3)).numpy(), abs=1e-6
        )
    with pytest.raises(ModelError, match="head has no layer with weights, so there is nothing that its last"):
        penultimate(Network({"conv": nn.Conv2d(1, 2, 8)}, head=nn.Flatten()), [images])
    with pytest.raises(UsageError, match="There are no images"):
        penultimate(mlp, [])


def test_nothing_of_the_network_changes() -> None:
    network = copy.deepcopy(network_to_explain("compact", "trained")).train()
    before, inputs = copy.deepcopy(network.state_dict()), images_for("compact")[0]
    penultimate(network, [inputs])
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in network.modules())


def groups(images: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features of three classes that lie apart, the last two nearer to each other."""
    generator = np.random.default_rng(seed)
    labels = np.arange(images) % 3
    centres = np.array([[12.0, 0, 0, 0, 0], [0, 4, 0, 0, 0], [0, -4, 0, 0, 0]])
    return centres[labels] + generator.normal(size=(images, 5)), labels


def test_principal_components_are_scikit_learns() -> None:
    from sklearn.decomposition import PCA

    features, labels = groups()
    theirs = PCA(2).fit(features)
    found = class_map(features.astype(np.float32), labels)
    expected = theirs.transform(features)
    for axis in (0, 1):
        mirrored = np.sign(found.points[:, axis] @ expected[:, axis])
        assert found.points[:, axis] == pytest.approx(mirrored * expected[:, axis], abs=1e-4)
    assert found.kept == pytest.approx(tuple(theirs.explained_variance_ratio_), rel=1e-4)
    assert found.sentence().startswith(
        "60 images by the 5 numbers that the last layer reads: the two axes keep 9"
    )


def test_a_map_is_never_mirrored() -> None:
    features, labels = groups()
    turned = np.random.default_rng(5).permutation(len(features))
    first, again = class_map(features, labels).points, class_map(features[turned], labels[turned]).points
    assert again == pytest.approx(first[turned], abs=1e-9)
    # an axis points to where its largest weight is positive: class 0 lies at +12 of the first feature
    assert first[labels == 0, 0].mean() > 0
    found, shares = principal_components(-features, 2)
    assert found[labels == 0, 0].mean() < 0
    assert shares.sum() <= 1


def test_few_features_and_alike_images_still_have_two_axes() -> None:
    one = class_map(np.array([[0.0], [1.0], [3.0]]), np.array([0, 0, 1]))
    assert one.points.shape == (3, 2)
    assert one.kept == (1.0, 0.0)
    alike = class_map(np.ones((4, 3)), np.array([0, 1, 0, 1]))
    assert alike.points.tolist() == [[0, 0]] * 4
    assert alike.kept == (0.0, 0.0)


def test_neighbours_by_loops() -> None:
    features, labels = groups(40, seed=3)
    features[:10, 1:] = 0.0
    found = class_map(features, labels)
    for values, number in ((found.points, found.neighbours), (features, found.neighbours_before)):
        same = 0
        for image in range(40):
            distances = [float(np.linalg.norm(values[image] - values[other])) for other in range(40)]
            distances[image] = np.inf
            same += labels[int(np.argmin(distances))] == labels[image]
        assert number.value == pytest.approx(same / 40)
        assert number.n == 40


def test_tsne_is_seeded_and_keeps_groups_together() -> None:
    features, labels = groups()
    first = class_map(features, labels, method="tsne", seed=1, perplexity=10.0)
    again = class_map(features, labels, method="tsne", seed=1, perplexity=10.0)
    assert np.array_equal(first.points, again.points)
    assert first.kept is None
    assert "distances between groups mean nothing" in first.sentence()
    assert (first.neighbours.value or 0) > 0.95
    assert "component" not in figure_bytes(first.figure(["a", "b", "c"]), "svg").decode()


def test_wrong_input_is_refused() -> None:
    features, labels = groups(12)
    with pytest.raises(UsageError, match="There is no class map 'umap'; Allowed: pca, tsne"):
        class_map(features, labels, method="umap")
    with pytest.raises(
        UsageError, match="12 images and 11 labels were given; a class map needs three images"
    ):
        class_map(features, labels[:-1])
    with pytest.raises(UsageError, match="perplexity=30 for 12 images: it is about the number of neighbours"):
        class_map(features, labels, method="tsne")
    features[0, 0] = np.nan
    with pytest.raises(UsageError, match="values that are not finite"):
        class_map(features, labels)


def test_the_figure_names_every_class_and_shows_thumbnails() -> None:
    features, labels = groups()
    found = class_map(features, labels)
    pictures = [np.full((8, 6, 1), 40 * label, np.uint8) for label in labels]
    drawn = figure_bytes(found.figure(["_owl$^", "<cat>", "dog\u202e"], pictures), "svg").decode()
    for text in (
        "_owl$^",
        "&lt;cat&gt;",
        "dog\\u202e",
        "component 1: ",
        "nearest neighbour is of their class",
    ):
        assert text in drawn
    assert 3 <= drawn.count("<image") <= 60
    content = figure_bytes(found.figure(["owl", "cat", "dog"], pictures), "png")
    assert content == figure_bytes(found.figure(["owl", "cat", "dog"], pictures), "png")
    assert Image.open(io.BytesIO(content)).width > 1000


def test_classes_differ_by_colour_or_marker() -> None:
    styles = [class_style(index) for index in range(64)]
    assert len(set(styles)) == 64
    assert {marker for _, marker in styles} == set(MARKERS)


def projected(folder: Path) -> object:
    """The configuration as TensorBoard's own plugin reads it."""
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    return text_format.Parse((folder / "projector_config.pbtxt").read_text(), ProjectorConfig())


def test_tensorboards_own_reader_finds_everything(tmp_path: Path) -> None:
    from tensorboard.plugins.projector.projector_plugin import _read_tensor_tsv_file

    features = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32) * 1e-4
    names = ["owl", "c\tat", "dog\n", "élan", '"']
    pictures = [np.full((4, 6, 3), 50 * index, np.uint8) for index in range(5)]
    files = write_projector(
        tmp_path,
        features,
        names,
        sources=[f"{n}.png" for n in range(5)],
        pictures=pictures,
        title='a "map" \\',
    )
    assert sorted(file.name for file in files) == sorted(file.name for file in tmp_path.iterdir())
    (embedding,) = projected(tmp_path).embeddings  # type: ignore[attr-defined]
    assert embedding.tensor_name == 'a "map" \\'
    assert list(embedding.tensor_shape) == [5, 3]
    assert np.array_equal(_read_tensor_tsv_file(str(tmp_path / embedding.tensor_path)), features)
    lines = (tmp_path / embedding.metadata_path).read_text(encoding="utf8").splitlines()
    assert lines[0] == "class\tsource"
    assert lines[2] == "c\\tat\t1.png"
    assert lines[3:] == ["dog\\n\t2.png", "élan\t3.png", '"\t4.png']
    assert list(embedding.sprite.single_image_dim) == [6, 4]
    sheet = np.asarray(Image.open(tmp_path / embedding.sprite.image_path))
    assert sheet.shape == (12, 18, 3)
    for index in range(5):
        row, column = divmod(index, 3)
        assert (sheet[row * 4 : row * 4 + 4, column * 6 : column * 6 + 6] == 50 * index).all()


def test_tensorboards_server_serves_what_was_written(tmp_path: Path) -> None:
    from types import SimpleNamespace

    from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin

    features = np.arange(12, dtype=np.float32).reshape(4, 3)
    write_projector(tmp_path, features, ["a", "b", "a", "b"], pictures=[np.zeros((4, 4, 1), np.uint8)] * 4)
    plugin = ProjectorPlugin(SimpleNamespace(data_provider=None, logdir=str(tmp_path)))
    plugin._configs, plugin.config_fpaths = plugin._read_latest_config_files([(".", str(tmp_path))])
    plugin._augment_configs_with_checkpoint_info()
    (embedding,) = plugin._configs["."].embeddings
    assert list(embedding.tensor_shape) == [4, 3]
    assert np.array_equal(plugin.tensor_cache.get((".", embedding.tensor_name)), features)


def test_a_large_sprite_stays_within_tensorboards_limit() -> None:
    content, size = sprite([np.zeros((300, 200, 3), np.uint8)] * 3)
    assert size == (43, 64)
    assert Image.open(io.BytesIO(content)).size == (86, 128)


def test_projector_data_must_agree(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There are 1 names for 2 images; give one an image"):
        write_projector(tmp_path, np.zeros((2, 3)), ["a"])
    with pytest.raises(UsageError, match="must be finite, of one image at least"):
        write_projector(tmp_path, np.full((2, 3), np.inf), ["a", "b"])
    assert not list(tmp_path.iterdir())
