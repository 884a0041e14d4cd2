"""What a training costs, in multiply-adds: a figure that no machine changes."""

import striate

LEARNING = 3
"""Forward, gradients of the activations, gradients of the weights: each about as many multiply-adds as the first."""
BASIS = (
    "forward multiply-adds × 3 × images × epochs; stages that do not learn count once, "
    "and once in all where their features are kept"
)


def training_cost(
    recipe: "striate.Recipe", network: "striate.Network", input_shape: tuple[int, int, int], images: int
) -> int:
    """Multiply-adds of one training on so many images; validation is not counted.

    >>> network = striate.create_model("lenet5", classes=10)
    >>> recipe = striate.Recipe(model="lenet5", epochs=2)
    >>> training_cost(recipe, network, (1, 28, 28), images=1000) == 416_520 * 3 * 1000 * 2
    True
    >>> training_cost(recipe.changed(freeze="all"), network, (1, 28, 28), images=1000)
    876720000
    """
    rows = striate.summarize(network, input_shape).rows
    head = sum(row.multiply_adds for row in rows if row.stage == "head")
    stages = {row.stage: 0 for row in rows if row.stage != "head"}
    for row in rows:
        if row.stage in stages:
            stages[row.stage] += row.multiply_adds
    learning = learning_stages(recipe, list(stages))
    frozen = sum(cost for name, cost in stages.items() if name not in learning)
    base, forward = sum(stages.values()), LEARNING * (head + sum(stages[name] for name in learning))
    first = recipe.head_epochs * (base + LEARNING * head)
    rest = recipe.epochs - recipe.head_epochs
    kept = frozen * (1 if recipe.extract else rest)
    return images * (first + kept + rest * forward)


def learning_stages(recipe: "striate.Recipe", names: list[str]) -> set[str]:
    """The stages that learn once the head's own epochs are over."""
    if recipe.freeze == "none":
        return set(names)
    return set() if recipe.freeze == "all" else set(names[names.index(recipe.freeze) + 1 :])
