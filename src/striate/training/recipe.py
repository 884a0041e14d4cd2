"""The recipe: everything that decides how a network is trained, in one frozen and validated record.

Two runs with the same recipe, the same images, the same number of threads and the same type of machine end
with the same weights, bit for bit.
"""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from striate.errors import UsageError, suggestion

DEFAULT_RATES = {"sgd": 0.05, "adam": 0.002, "adamw": 0.002, "muon": 0.1}
"""Peak learning rate of each optimiser when neither the recipe nor the network names one."""
DEFAULT_DECAYS = {"sgd": 5e-4, "adam": 0.0, "adamw": 0.01, "muon": 0.01}
"""Weight decay of each optimiser when the recipe names none; AdamW's is decoupled from the gradient."""


class Recipe(BaseModel):
    """How a network is trained: model, epochs, optimiser, schedule, augmentation, regularisation, seed.

    >>> recipe = Recipe(model="lenet5", epochs=3)
    >>> recipe.peak_rate, recipe.batch_size
    (0.002, 128)
    >>> recipe.changed(learning_rate=0.01).peak_rate
    0.01

    Raises:
        UsageError: an unknown field (with the nearest known one) or a value outside what is allowed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: str = Field(
        "auto",
        description="name of the network; `striate models` lists them; auto: that of the weights, or compact",
    )
    epochs: int = Field(10, ge=1, description="passes over the training images")
    batch_size: int = Field(128, ge=1, description="images a step")
    seed: int = Field(0, ge=0, lt=2**63, description="of weights, order, augmentation, dropout and split")

    optimiser: Literal["sgd", "adam", "adamw", "muon"] | None = Field(
        None, description="SGD with momentum, Adam, AdamW, or Muon for kernels; none: what suits the network"
    )
    learning_rate: float | None = Field(
        None, gt=0, description="peak rate; none: what suits optimiser and network"
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="of SGD and Muon")
    nesterov: bool = Field(False, description="Nesterov's form of SGD's momentum; Muon always has it")
    rescale: bool = Field(
        False,
        description="Muon: kernels before a normalisation keep one length, so that steps keep their size",
    )
    weight_decay: float | None = Field(
        None, ge=0, description="of weights, never of biases and norms; none: the optimiser's default"
    )
    schedule: Literal["constant", "step", "plateau", "cosine", "onecycle", "triangular"] = Field(
        "onecycle", description="how the rate moves from its peak"
    )
    step_epochs: int = Field(10, ge=1, description="schedule step: epochs between two drops")
    plateau_epochs: int = Field(3, ge=1, description="schedule plateau: epochs without gain before a drop")
    drop: float = Field(0.1, gt=0, lt=1, description="schedules step and plateau: factor of a drop")
    warmup: float = Field(
        0.25, ge=0, lt=1, description="schedules onecycle and triangular: share of the run spent rising"
    )

    weights: str | None = Field(
        None, description="first weights: a run, a file of weights, or a published name; none: drawn anew"
    )
    weights_sha256: str | None = Field(None, description="digest of those weights; filled in by training")
    freeze: str = Field(
        "none", description="stages that keep their weights: none, all, or up to and including a stage"
    )
    head: Literal["own", "linear", "mlp"] = Field(
        "own", description="what follows the stages: the network's own head, one layer, or a hidden layer too"
    )
    head_epochs: int = Field(0, ge=0, description="first so many epochs train the head alone")
    base_rate: float = Field(1.0, gt=0, le=1, description="rate of the last stage, as a share of the head's")
    stage_decay: float = Field(1.0, gt=0, le=1, description="rate of a stage, as a share of the next one's")
    extract: bool = Field(
        False, description="run frozen stages once over the images, and train on what they make of them"
    )

    activation: Literal["own", "relu", "tanh", "sigmoid"] = Field(
        "own", description="activation everywhere in the network; own: as its paper has it"
    )
    batch_norm: bool | None = Field(
        None, description="batch normalisation after every convolution; none: as the network has it"
    )
    response_norm: bool | None = Field(
        None,
        description="local response normalisation before the first two poolings; none: the network's own",
    )
    overlapping: bool | None = Field(
        None, description="pooling windows of 3 in steps of 2, or 2 in steps of 2; none: the network's own"
    )
    width: float | None = Field(
        None, gt=0, description="so many times the maps of every stage; none: the network's own width"
    )
    initialisation: Literal["own", "he", "xavier", "identity"] = Field(
        "own", description="first weights: the network's own rule, He's, Xavier's, or kernels that copy a map"
    )
    whiten: bool = Field(
        False, description="first convolution begins with kernels that whiten patches of the training images"
    )
    dropout: float | None = Field(None, ge=0, lt=1, description="share dropped; none: the network's own")
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of each target spread over all classes"
    )
    balance: Literal["none", "weights", "sampling"] = Field(
        "none", description="rare classes: leave, weigh in the loss, or draw more often"
    )

    size: int | None = Field(None, ge=4, le=4096, description="side in pixels; none: from the images")
    fit: Literal["pad", "stretch"] = Field("pad", description="how other shapes reach that size")
    window: str | None = Field(
        None,
        description="values that become black and white: file, lung, bone, … or CENTRE/WIDTH; none: all values",
    )
    draft: bool = Field(
        False, description="decode JPEGs at 1/2, 1/4 or 1/8 of their size where that is large enough"
    )
    translation: int | None = Field(
        None, ge=0, description="largest shift in pixels; none: a 14th of the side"
    )
    reflection: bool | Literal["alternating"] = Field(
        False, description="mirror left and right at random; alternating: each image in every second epoch"
    )
    cutout: int = Field(
        0, ge=0, description="side of a square that is cut out of each training image; 0: none"
    )
    patch: int | None = Field(None, ge=4, description="side of a random patch; prediction takes the centre")
    colour_jitter: float = Field(
        0.0, ge=0, le=1, description="deviation of random shifts along the principal colours; AlexNet's: 0.1"
    )
    views: Literal["one", "flip", "ten"] = Field(
        "one", description="prediction averages: one view, its mirror image too, or AlexNet's ten patches"
    )

    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="numbers of training's forward pass; auto: bfloat16 where it is computed in hardware",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "auto", description="what trains; auto: a GPU where there is one, else the processor"
    )
    accumulate: int = Field(1, ge=1, description="parts that a batch is taken in, their gradients added")
    recompute: bool = Field(
        False, description="keep no maps inside a stage for the way back; compute them again"
    )
    compile: bool = Field(False, description="translate steps first, by torch's compiler")
    max_memory: float | None = Field(
        None, gt=0, description="GiB that training may take; none: what the machine has left"
    )

    keep: Literal["best", "last"] = Field(
        "best", description="weights of the best validation epoch, or the last"
    )
    calibrate: Literal["temperature", "vector", "none"] = Field(
        "temperature", description="what mends the probabilities afterwards, fitted to half of validation"
    )
    early_stop: int | None = Field(None, ge=1, description="stop after so many epochs without gain")

    def __init__(self, **settings: Any) -> None:
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise UsageError(in_words(error)) from None
        if found := contradictions(self):
            raise UsageError(" ".join(found))

    @property
    def peak_rate(self) -> float:
        """The highest learning rate of the run."""
        return (
            self.learning_rate if self.learning_rate is not None else DEFAULT_RATES[self.optimiser or "adamw"]
        )

    def settled(self, network_rate: float, optimiser: str = "adamw") -> "Recipe":
        """The recipe with what it leaves to the network filled in: the optimiser and the rate.

        The rate is the network's for Adam and AdamW, the optimiser's for SGD and Muon.

        >>> Recipe().settled(0.01).learning_rate, Recipe(optimiser="sgd").settled(0.01).learning_rate
        (0.01, 0.05)
        """
        recipe = self.changed(optimiser=self.optimiser or optimiser)
        if recipe.learning_rate is not None:
            return recipe
        rate = network_rate if recipe.optimiser in ("adam", "adamw") else recipe.peak_rate
        return recipe.changed(learning_rate=rate)

    @property
    def decay(self) -> float:
        """The weight decay of the run."""
        return (
            self.weight_decay if self.weight_decay is not None else DEFAULT_DECAYS[self.optimiser or "adamw"]
        )

    def preparing(self) -> dict[str, Any]:
        """The fields that say how a picture becomes the network's input, as packing takes them.

        `small`: larger pictures are scaled further down unasked, for networks whose cost grows with the pixels.
        """
        patch = (self.patch, self.patch) if self.patch else None
        return {
            "size": self.size,
            "fit": self.fit,
            "patch": patch,
            "window": self.window,
            "draft": self.draft,
            "small": self.model not in ("auto", "compact"),
        }

    def changing(self) -> dict[str, Any]:
        """The fields that change a network of the catalogue, as `striate.models.Changes` takes them."""
        names = ("head", "activation", "batch_norm", "response_norm", "overlapping", "width")
        return {name: getattr(self, name) for name in names}

    def changed(self, **settings: Any) -> "Recipe":
        """The same recipe with some fields changed, validated again; what was not set stays so."""
        return type(self)(**{**self.model_dump(exclude_unset=True), **settings})

    @classmethod
    def from_settings(cls, settings: Iterable[str], **fields: Any) -> "Recipe":
        """A recipe from `field=value` texts, as `--set` takes them, over fields given as values.

        >>> Recipe.from_settings(["reflection=true", "dropout=none"], epochs=2).reflection
        True
        """
        return cls(**{**fields, **dict(map(parse_setting, settings))})

    def differences(self, other: "Recipe") -> list[str]:
        """The fields in which two recipes differ, as `field: this, other`."""
        mine, theirs = self.model_dump(), other.model_dump()
        return [f"{name}: {mine[name]}, {theirs[name]}" for name in mine if mine[name] != theirs[name]]


def contradictions(recipe: Recipe) -> list[str]:
    """Fields that cannot stand together, a sentence each.

    >>> Recipe(epochs=5, head_epochs=5)
    Traceback (most recent call last):
    striate.errors.UsageError: head_epochs=5 of 5 leaves the stages none; take fewer, or freeze=all for the head alone.
    """
    found = []
    if recipe.head_epochs >= recipe.epochs:
        found.append(
            f"head_epochs={recipe.head_epochs} of {recipe.epochs} leaves the stages none;"
            " take fewer, or freeze=all for the head alone."
        )
    if recipe.head_epochs and recipe.freeze == "all":
        found.append("freeze=all trains the head alone in every epoch; leave head_epochs out.")
    if recipe.views == "ten" and recipe.patch is None:
        found.append("views=ten takes ten patches: add patch=SIDE, smaller than the images.")
    if recipe.rescale and recipe.optimiser not in (None, "muon"):
        found.append("rescale=true belongs to Muon: add optimiser=muon, or leave it out.")
    if recipe.reflection == "alternating" and recipe.balance == "sampling":
        found.append(
            "reflection=alternating needs each image once an epoch, and balance=sampling draws; take reflection=true."
        )
    if recipe.compile and recipe.recompute:
        found.append("compile=true decides itself what is computed again; leave recompute out, or compile.")
    if not recipe.extract:
        return found
    if recipe.freeze == "none":
        found.append("extract=True needs frozen stages: add freeze=all, or freeze=STAGE.")
    random = ("translation", "reflection", "cutout", "patch", "colour_jitter", "head_epochs")
    if given := [f"{name}={value}" for name in random if (value := getattr(recipe, name))]:
        found.append(f"extract=True shows every image once, unchanged; leave out {', '.join(given)}.")
    return found


def parse_setting(text: str) -> tuple[str, str | None]:
    """`field=value` as a pair; `none` is the absent value."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"--set {text}: expected field=value, for example --set batch_size=64.")
    value = value.strip()
    return name.strip(), None if value.lower() == "none" else value


def in_words(error: ValidationError) -> str:
    """What is wrong with a recipe, one sentence a field."""
    return " ".join(map(sentence, error.errors()))


def sentence(detail: Any) -> str:
    """One finding of pydantic as a sentence: the field, what was given, what is allowed."""
    name = str(detail["loc"][0]) if detail["loc"] else "recipe"
    if detail["type"] == "extra_forbidden":
        return f"Unknown recipe field {name!r}: {suggestion(name, Recipe.model_fields)}"
    about = Recipe.model_fields[name].description
    return f"Recipe field {name} = {detail['input']!r}: {detail['msg']} ({about})."
