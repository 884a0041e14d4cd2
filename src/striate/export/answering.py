"""All that happens to a decoded picture, as one module: preparation, views, network, calibration."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float32, Float64
from torch import Tensor, nn

from striate.export.preparing import Preparing

SMALLEST = 1e-30
"""What a probability of 0 is taken as before its logarithm, as in `striate.evaluation.decisions.calibration`."""

ViewAt = tuple[int, int, bool]
"""Where a view begins (top, left), and whether it is mirrored."""


class Answering(nn.Module):
    """Decoded pictures in, calibrated probabilities out: what an exported file holds.

    `views` are what the network is shown of a prepared picture, `patch` their height and width, `calibration` the
    run's, as `to_dict` writes it, or None. Outputs: probabilities `batch class`; logits `batch class`, those of the
    network, or with several views the logarithms of the views' mean probabilities; and the prepared pictures,
    `batch channel height width`, normalised. All of them are not-a-number for a picture that the preparation refuses.
    """

    def __init__(
        self,
        preparing: Preparing,
        network: nn.Module,
        *,
        views: Sequence[ViewAt],
        patch: tuple[int, int],
        calibration: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.preparing, self.network = preparing, network
        self.views, self.patch = tuple(views), patch
        self.calibrating = Calibrating(calibration or {"kind": "none"})

    def forward(
        self, pixels: Float32[Tensor, "batch height width channel"], full_scale: Float32[Tensor, ""]
    ) -> tuple[
        Float32[Tensor, "batch class"],
        Float32[Tensor, "batch class"],
        Float32[Tensor, "batch prepared_channel prepared_height prepared_width"],
    ]:
        """Probabilities, logits and prepared pictures."""
        prepared = self.preparing(pixels, full_scale)
        # Runtimes disagree on what pooling and rectifying make of not-a-number, so it is said again at the end.
        refused = prepared[:, 0, 0, :1].isnan()
        probabilities, logits = self.of_prepared(prepared)
        return (
            torch.where(refused, torch.nan, probabilities),
            torch.where(refused, torch.nan, logits),
            prepared,
        )

    def of_prepared(
        self, prepared: Float32[Tensor, "batch channel height width"]
    ) -> tuple[Float32[Tensor, "batch class"], Float32[Tensor, "batch class"]]:
        """Probabilities and logits of prepared pictures."""
        logits = self._logits(prepared)
        return self.calibrating(logits).float(), logits.float()

    def _logits(
        self, prepared: Float32[Tensor, "batch channel height width"]
    ) -> Float64[Tensor, "batch class"]:
        if len(self.views) == 1:
            return self.network(self._seen(prepared, self.views[0])).double()
        said = [self.network(self._seen(prepared, view)).double().softmax(dim=1) for view in self.views]
        return torch.stack(said).mean(dim=0).clamp(min=SMALLEST).log()

    def _seen(
        self, prepared: Float32[Tensor, "batch channel height width"], view: ViewAt
    ) -> Float32[Tensor, "batch channel rows columns"]:
        (top, left, mirrored), (rows, columns) = view, self.patch
        part = prepared[:, :, top : top + rows, left : left + columns]
        return part.flip(3) if mirrored else part


class Calibrating(nn.Module):
    """Logits as calibrated probabilities: a softmax, after the run's temperature, or factors and offsets."""

    factors: Tensor
    offsets: Tensor

    def __init__(self, calibration: Mapping[str, Any]) -> None:
        super().__init__()
        self.kind = calibration["kind"]
        if self.kind == "temperature":
            factors, offsets = 1.0 / calibration["value"], 0.0
        else:
            factors, offsets = calibration.get("factors", 1.0), calibration.get("offsets", 0.0)
        self.register_buffer("factors", torch.tensor(factors, dtype=torch.float64))
        self.register_buffer("offsets", torch.tensor(offsets, dtype=torch.float64))

    def forward(self, logits: Float64[Tensor, "batch class"]) -> Float64[Tensor, "batch class"]:
        """Probabilities of logits."""
        if self.kind == "vector":
            logits = logits.log_softmax(dim=1)
        return (logits * self.factors + self.offsets).softmax(dim=1)
