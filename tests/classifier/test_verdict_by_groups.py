"""A run whose images belong together is judged with groups, not images, as independent; its terminal says so."""

from pathlib import Path

from striate import Classifier, Recipe, load_images, verdict_text


def test_the_groups_of_the_images_reach_the_verdict(pictures: Path) -> None:
    images = load_images(str(pictures), group_from=r"(\d+)\.png")
    classifier = Classifier(Recipe(model="mlp", epochs=1, size=8)).fit(images)
    verdict = classifier.evaluate()
    assert verdict.groups is not None
    assert verdict.groups * 3 == verdict.images  # each number stands once in each of three classes
    assert f"take the {verdict.groups:,} groups, not the images, as independent" in verdict_text(verdict)
    alone = Classifier(Recipe(model="mlp", epochs=1, size=8)).fit(load_images(str(pictures)))
    assert alone.evaluate().groups is None
