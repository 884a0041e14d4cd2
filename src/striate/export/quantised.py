"""Weights of 8 bits in place of 32: a smaller file, and what that costs in accuracy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.drawing.numbers import percent
from striate.evaluation.intervals import Number
from striate.export.tracing import silenced


@dataclass(frozen=True, kw_only=True)
class Quantised:
    """A file of 8-bit weights beside the one it was made from, on the same labelled pictures.

    `difference` is its accuracy minus that of the full file, paired; `probability` the largest difference of any
    probability; sizes are in bytes.
    """

    path: Path
    full_bytes: int
    bytes: int
    full_accuracy: Number
    accuracy: Number
    difference: Number
    probability: float

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "file": self.path.name,
            "full_bytes": self.full_bytes,
            "bytes": self.bytes,
            "full_accuracy": self.full_accuracy.to_dict(),
            "accuracy": self.accuracy.to_dict(),
            "difference": self.difference.to_dict(),
            "largest_probability_difference": self.probability,
        }

    def to_text(self) -> str:
        """Three lines for a terminal."""
        share = self.bytes / self.full_bytes
        return "\n".join(
            [
                f"8-bit weights: {self.path}, {self.bytes:,} bytes, {share:.0%} of the full file",
                f"  accuracy     {percent(self.accuracy)}; full file {percent(self.full_accuracy)}",
                f"  difference   {percent(self.difference)}; of a probability at most {self.probability:.1e}",
            ]
        )


def quantise_onnx(full: Path, path: Path) -> None:
    """Write an ONNX file with the weights of its convolutions and products in 8 bits, activations as they come.

    The resizing of the pictures, in double precision, stays as it is.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with silenced():
        quantize_dynamic(full, path, weight_type=QuantType.QUInt8, extra_options={"MatMulConstBOnly": True})
