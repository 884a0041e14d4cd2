"""The recipe's validation, and the words of its errors."""

import pytest

from striate.errors import UsageError
from striate.training.recipe import DEFAULT_RATES, Recipe


def test_every_field_can_be_set_as_text() -> None:
    recipe = Recipe.from_settings(
        [
            "batch_size=64",
            "optimiser=sgd",
            "dropout=0.3",
            "reflection=true",
            "size=none",
            "learning_rate=1e-2",
        ]
    )
    assert (recipe.batch_size, recipe.optimiser, recipe.dropout) == (64, "sgd", 0.3)
    assert (recipe.reflection, recipe.size, recipe.learning_rate) == (True, None, 0.01)
    assert Recipe.from_settings(["reflection=alternating"]).reflection == "alternating"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["batch_sise=64"], "Unknown recipe field 'batch_sise': did you mean batch_size?"),
        (["epochs=0"], "Recipe field epochs = '0': Input should be greater than or equal to 1"),
        (["optimiser=rmsprop"], "Input should be 'sgd', 'adam', 'adamw' or 'muon'"),
        (["learning_rate=nan"], "Recipe field learning_rate = 'nan': Input should be a finite number"),
        (["epochs"], "--set epochs: expected field=value, for example --set batch_size=64."),
        (["epochs=many"], "Recipe field epochs = 'many': Input should be a valid integer"),
    ],
)
def test_wrong_settings_say_what_is_allowed(settings: list[str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        Recipe.from_settings(settings)
    assert words in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_recipe_is_frozen_and_says_how_it_differs() -> None:
    recipe = Recipe(seed=1)
    with pytest.raises(ValueError, match="frozen"):
        recipe.seed = 2  # pyright: ignore[reportAttributeAccessIssue]
    assert recipe.differences(recipe.changed(seed=2, epochs=3)) == ["epochs: 10, 3", "seed: 1, 2"]
    assert Recipe(**recipe.model_dump()) == recipe


def test_what_a_network_asks_for_yields_to_what_was_set() -> None:
    left = Recipe().settled(0.01, "muon")
    assert (left.optimiser, left.learning_rate) == ("muon", DEFAULT_RATES["muon"])
    given = Recipe(optimiser="adamw").settled(0.01, "muon")
    assert (given.optimiser, given.learning_rate) == ("adamw", 0.01)
    assert given.settled(0.5, "sgd") == given


def test_alternating_needs_each_image_once_an_epoch() -> None:
    with pytest.raises(UsageError, match=r"needs each image once an epoch.*take reflection=true"):
        Recipe(reflection="alternating", balance="sampling")


def test_only_compact_takes_larger_pictures_unasked() -> None:
    assert not Recipe().preparing()["small"]
    assert not Recipe(model="compact").preparing()["small"]
    assert Recipe(model="resnet20").preparing()["small"]
