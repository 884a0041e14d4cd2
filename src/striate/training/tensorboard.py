"""A run in TensorBoard: scalars, graph, histograms, pictures, precision-recall curves, the recipe and hparams."""

import math
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.utils.tensorboard.summary import hparams

from striate.drawing.text import visible
from striate.drawing.tiles import contact_sheet
from striate.training.device import device_of
from striate.training.event_file import Writer
from striate.training.events import Events, Outcome, Plan
from striate.training.history import Progress, Record
from striate.training.recipe import Recipe
from striate.training.tensorboard_figures import confusion_picture, curves

WRONG_SHOWN = 24
STEP_EVERY = 20
"""Steps between two points of the per-step loss."""

Pictures = Callable[[Int[np.ndarray, " images"]], list[np.ndarray]]


class TensorBoard(Events):
    """Writes TensorBoard events into a run's folder while it trains.

    The horizontal axis is the number of steps taken. A resumed run says from which step on it writes, and
    TensorBoard drops what a killed process wrote beyond it.
    """

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        classes: tuple[str, ...],
        input_shape: tuple[int, ...],
        pictures: Pictures,
    ) -> None:
        self.folder = folder
        self.recipe = recipe
        self.classes = classes
        self.input_shape = input_shape
        self.pictures = pictures

    def began(self, plan: Plan, network: nn.Module) -> None:
        self.steps = plan.steps
        first = plan.first_epoch * plan.steps + plan.first_step
        if not first:  # a run killed before its first checkpoint may have left events
            for leftover in self.folder.glob("events.out.tfevents.*"):
                leftover.unlink()
        # A start at 0 too: TensorBoard's page takes the first start it meets for no resumption, and drops nothing then.
        self.writer = Writer(str(self.folder), purge_step=first + 1 if first else 0)
        if not first:
            self.writer.add_text("recipe", as_table(self.recipe), 0)
            self.add_graph(network)

    def step(self, progress: Progress, loss: float, rate: float) -> None:
        taken = progress.epoch * self.steps + progress.step
        if taken % STEP_EVERY == 0:
            self.writer.add_scalar("step/loss", loss, taken)
            self.writer.add_scalar("step/learning_rate", rate, taken)

    def epoch(self, record: Record, outcome: Outcome, network: nn.Module) -> None:
        taken = record["epoch"] * self.steps
        for split in ("train", "validation"):
            for name, value in record[split].items():
                self.writer.add_scalar(f"{name}/{split}", value, taken)
        self.writer.add_scalar("learning_rate", record["learning_rate"], taken)
        for name, parameter in network.named_parameters():
            self.writer.add_histogram(f"weights/{name}", parameter.detach(), taken)
            if parameter.grad is not None:
                self.writer.add_histogram(f"gradients/{name}", parameter.grad, taken)
        filters = first_filters(network)
        if filters is not None:
            self.writer.add_image("first_layer_filters", filters, taken, dataformats="HWC")
        self.add_wrong(outcome, taken)
        self.add_classes(outcome, taken)

    def finished(self, progress: Progress) -> None:
        best = progress.best
        if best:
            values = {
                name: value if isinstance(value, bool | int | float | str) else str(value)
                for name, value in self.recipe.model_dump().items()
            }
            metrics = {"hparam/validation_accuracy": best.accuracy, "hparam/validation_loss": best.loss}
            file_writer = self.writer.file_writer
            if file_writer is not None:
                for part in hparams(values, metrics):
                    file_writer.add_summary(part)
            for name, value in metrics.items():  # one past the last step: a resumed run's purge drops them
                self.writer.add_scalar(name, value, progress.epoch * self.steps + 1)
        self.writer.close()

    def add_graph(self, network: nn.Module) -> None:
        """The network's graph, traced in evaluation mode on one input of zeros."""
        training = network.training
        network.eval()
        example = torch.zeros(1, *self.input_shape, device=device_of(network))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit.trace announces its own retirement
            # traced here, since add_graph would trace three times to compare, and import torch.distributed for that
            self.writer.add_graph(torch.jit.trace(network, example, check_trace=False), example)
        network.train(training)

    def add_wrong(self, outcome: Outcome, taken: int) -> None:
        """The validation pictures that the network got most confidently wrong."""
        predicted = outcome.probabilities.argmax(axis=1)
        wrong = np.flatnonzero(predicted != outcome.truth)
        if not len(wrong):
            return
        worst = wrong[
            np.argsort(-outcome.probabilities[wrong, predicted[wrong]], kind="stable")[:WRONG_SHOWN]
        ]
        captions = [f"{self.classes[predicted[i]]}, is {self.classes[outcome.truth[i]]}" for i in worst]
        sheet = contact_sheet(self.pictures(outcome.rows[worst]), captions, columns=6)
        self.writer.add_image(
            "wrong_validation_images", np.asarray(sheet.convert("RGB")), taken, dataformats="HWC"
        )

    def add_classes(self, outcome: Outcome, taken: int) -> None:
        """The confusion matrix of the validation images, and a precision-recall curve a class."""
        matrix = confusion_picture(outcome, self.classes)
        self.writer.add_image("confusion_matrix", matrix, taken, dataformats="HWC")
        for name, inside, chances in curves(outcome, self.classes):
            self.writer.add_pr_curve(f"precision_recall/{visible(name)}", inside, chances, taken)


def first_filters(network: nn.Module) -> UInt8[np.ndarray, "height width rgb"] | None:
    """The first convolution's kernels side by side: zero is mid grey, the largest magnitude black or white."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.in_channels in {1, 3}:
            return tile_filters(module.weight.detach())
    return None


def tile_filters(
    weights: Float[Tensor, "filters channels height width"],
) -> UInt8[np.ndarray, "rows columns rgb"]:
    """Kernels as one picture, each pixel drawn 8 × 8, a white line between two kernels."""
    kernels = weights.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    kernels = np.broadcast_to(kernels, (*kernels.shape[:3], 3)) if kernels.shape[3] == 1 else kernels
    largest = max(float(np.abs(kernels).max()), 1e-12)
    drawn = np.rint(127.5 + 127.5 * kernels / largest).astype(np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    columns = math.ceil(math.sqrt(len(drawn)))
    framed = np.pad(drawn, ((0, -len(drawn) % columns), (1, 1), (1, 1), (0, 0)), constant_values=255)
    rows = [np.concatenate(list(framed[at : at + columns]), axis=1) for at in range(0, len(framed), columns)]
    return np.concatenate(rows, axis=0)


def as_table(recipe: Recipe) -> str:
    """The recipe as a Markdown table."""
    rows = [f"| {name} | {value} |" for name, value in recipe.model_dump().items()]
    return "\n".join(["| field | value |", "|---|---|", *rows])
