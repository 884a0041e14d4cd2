"""`passes` against counted forward passes of the network itself."""

import pytest
import torch

from striate.errors import ModelError, UsageError
from striate.explanation import METHODS, attribute
from striate.explanation.passes import ON_AND_BACK, passes
from striate.models import create_model

SHAPE = (1, 12, 10)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("gradcam", {}),
        ("saliency", {}),
        ("occlusion", {}),
        ("occlusion", {"window": (4, 5), "stride": (2, 5)}),
        ("smooth_grad", {"samples": 6}),
        ("integrated_gradients", {"steps": 5}),
    ],
)
def test_as_many_images_go_through_the_network(method: str, options: dict[str, object]) -> None:
    """Never more than stated; the passes on alone are a third of those on and back, and one says where to begin."""
    network = create_model("compact", classes=3, channels=1, size=SHAPE[1:]).eval()
    counted: list[int] = []
    network.head.register_forward_pre_hook(lambda _, given: counted.append(len(given[0])))
    attribute(network, torch.randn(1, *SHAPE), torch.tensor([1]), method=method, **options)
    stated = passes(method, SHAPE, options)
    on = stated if method == "occlusion" else stated // ON_AND_BACK
    assert on <= sum(counted) <= on + 2  # integrated gradients ask for both ends too


def test_integrated_gradients_are_bounded_by_their_last_doubling() -> None:
    """64, 128, … 1,024 steps, each on and back."""
    assert passes("integrated_gradients", SHAPE) == 3 * (64 + 128 + 256 + 512 + 1024)


def test_what_cannot_be_counted() -> None:
    """An unknown method and a window larger than the picture are refused as everywhere."""
    assert all(passes(name, SHAPE) >= 3 for name in METHODS)
    with pytest.raises(ModelError, match="did you mean gradcam"):
        passes("gradcan", SHAPE)
    with pytest.raises(UsageError, match="window=40"):
        passes("occlusion", SHAPE, {"window": 40})
