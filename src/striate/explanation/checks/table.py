"""All methods of explanation under all checks, for one network and some images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from striate.errors import ModelError
from striate.explanation.checks.check import Checks, check
from striate.explanation.checks.curves import RandomOrders
from striate.explanation.checks.deletion import DEFAULT_PLAN, random_orders
from striate.explanation.checks.explainers import REFERENCES, Explain, explainer
from striate.explanation.checks.plan import RemovalPlan
from striate.explanation.checks.randomised import Verdict
from striate.explanation.method import Method
from striate.explanation.methods import METHODS, known_method, known_stage
from striate.models import Network


@dataclass(frozen=True, eq=False)
class MethodChecks:
    """One row: a method, or a map that knows nothing of the network, under the checks; or why it is refused."""

    name: str
    title: str
    checks: Checks | None = None
    refused: str | None = None

    @property
    def reference(self) -> bool:
        """Whether this is no method but something that every method must be better than."""
        return self.name in REFERENCES

    def to_dict(self) -> dict[str, Any]:
        """The row ready for JSON."""
        return {
            "method": self.name,
            "title": self.title,
            "reference": self.reference,
            "refused": self.refused,
            "checks": None if self.checks is None else self.checks.to_dict(),
        }


@dataclass(frozen=True, eq=False)
class CheckTable:
    """A row a method, in the order of the table of methods, then the maps that know nothing."""

    rows: tuple[MethodChecks, ...]
    images: int
    random: RandomOrders

    def of_verdict(self, verdict: Verdict) -> tuple[str, ...]:
        """The titles of the methods of which weight randomisation says so."""
        return tuple(
            row.title
            for row in self.rows
            if row.checks and not row.reference and row.checks.randomisation.verdict == verdict
        )

    def sentence(self) -> str:
        """What the table says of the methods."""
        checked = [row for row in self.rows if row.checks and not row.reference]
        refused = sum(row.refused is not None for row in self.rows)
        also = f"; {refused} refused by this network" if refused else ""
        count = (
            f"{len(checked)} {'method' if len(checked) == 1 else 'methods'} on {self.images:,} images{also}."
        )
        unchanged, late = (
            ", ".join(self.of_verdict(verdict)) for verdict in ("does not change", "changes late")
        )
        found = [f"Not changed by fresh weights, so no evidence of what was learned: {unchanged}."] * bool(
            unchanged
        )
        found += [f"Alike while the later half of the network loses its weights: {late}."] * bool(late)
        return " ".join(
            [count, *(found or ["Every map changes early when the network loses what it has learned."])]
        )

    def to_dict(self) -> dict[str, Any]:
        """The table ready for JSON."""
        return {
            "sentence": self.sentence(),
            "images": self.images,
            "rows": [row.to_dict() for row in self.rows],
        }

    def to_text(self) -> str:
        """The table for a terminal."""
        from striate.explanation.checks.table_text import table_text

        return table_text(self)

    def to_html(self) -> str:
        """The table as markup, to stand in a page."""
        from striate.explanation.checks.table_page import table_markup

        return table_markup(self)


def check_explanations(
    network: Network,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Int64[Tensor, " targets"],
    *,
    methods: Sequence[str] | None = None,
    stage: str | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    plan: RemovalPlan = DEFAULT_PLAN,
    masks: Bool[np.ndarray, "masks rows columns"] | None = None,
    tolerance: float | int = 0,
    progress: Callable[[str], None] | None = None,
) -> CheckTable:
    """Every method under every check, beside a random map and the picture's own edges.

    >>> import torch
    >>> from striate.models import create_model
    >>> network = create_model("lenet5", classes=10)
    >>> images, targets = torch.randn(2, 1, 28, 28), torch.tensor([3, 5])
    >>> table = check_explanations(network, images, targets, methods=["gradcam", "guided_backpropagation"])
    >>> [(row.name, row.refused is None) for row in table.rows]
    [('gradcam', True), ('guided_backpropagation', False), ('random', True), ('edges', True)]

    All methods unless some are named; `stage` is that of the methods that explain one, `options` those of a method by
    its name. A method that cannot be right for this network stands there with the reason. `progress` is told the
    title of what is checked next. Raises ModelError for an unknown method, and what the checks raise.
    """
    plans = _planned(network, inputs, methods, stage, options or {})
    random = random_orders(network, inputs, targets, plan=plan)
    rows = []
    for name, title, explain in plans:
        if isinstance(explain, str):
            rows.append(MethodChecks(name, title, refused=explain))
            continue
        if progress is not None:
            progress(title)
        try:
            found = check(
                network,
                inputs,
                targets,
                explain,
                plan=plan,
                masks=masks,
                tolerance=tolerance,
                random=random,
            )
        except ModelError as error:  # targets were right for the random orders, so the method itself refuses
            rows.append(MethodChecks(name, title, refused=str(error).removesuffix(".")))
        else:
            rows.append(MethodChecks(name, title, found))
    return CheckTable(tuple(rows), len(inputs), random)


def _planned(
    network: Network,
    inputs: Tensor,
    methods: Sequence[str] | None,
    stage: str | None,
    options: Mapping[str, Mapping[str, Any]],
) -> list[tuple[str, str, Explain | str]]:
    """What is to be checked: name, title, and either the way to explain or why there is none."""
    shape = (inputs.shape[1], inputs.shape[2], inputs.shape[3])
    if stage is not None:
        known_stage(network, shape, stage)
    plans: list[tuple[str, str, Explain | str]] = []
    for name in METHODS if methods is None else methods:
        method = known_method(name)
        place = stage if method.seam == "stage" else None
        explain = explainer(name, stage=place, **options.get(name, {}))
        plans.append((name, method.title, _obstacle(method, network, shape, place) or explain))
    return [*plans, *((name, *reference) for name, reference in REFERENCES.items())]


def _obstacle(method: Method, network: Network, shape: tuple[int, int, int], stage: str | None) -> str | None:
    if method.seam == "stage":
        try:
            stage = known_stage(network, shape, stage)
        except ModelError as error:
            return str(error).removesuffix(".")
    return method.obstacle(network, shape, stage)
