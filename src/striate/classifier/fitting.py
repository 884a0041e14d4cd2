"""From what was given to a trained classifier: decoded, built, trained, calibrated, described."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from striate.classifier.building import build, for_network, settle
from striate.classifier.decisions.calibrating import calibrate
from striate.classifier.material import Given, decode, first_pictures
from striate.classifier.planning import planned, task_of
from striate.classifier.provenance import describe
from striate.classifier.subject import subject_of
from striate.classifier.weights import find_weights
from striate.classifier.workplace import Workplace
from striate.models.own import layers_of
from striate.models.whitening import whiten_first
from striate.run import load_run
from striate.training.events import EventList, Events
from striate.training.loop import train
from striate.training.recipe import Recipe

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier


def fit_classifier(
    classifier: "Classifier",
    given: Given,
    workplace: Workplace | None,
    events: Events,
    stop: Callable[[], bool],
    command: str | None,
) -> "Classifier":
    """Train a classifier on what it was given, in a workplace where there is one; see `Classifier.fit`."""
    asked = for_network(classifier.recipe or Recipe(), classifier.network)
    origin = find_weights(asked, events)
    recipe = settle(asked, origin)
    decoded = decode(given, recipe, events, origin.preparation if origin else None)
    table = decoded.images.splits_csv()
    built = build(recipe, decoded.preparation, decoded.images.classes, origin, classifier.network)
    network = built.network
    if recipe.whiten and origin is None:
        whiten_first(network, first_pictures(decoded))
    for note in built.notes:
        events.said(note)
    asked_for = (classifier.recipe or Recipe()).model_fields_set
    recipe = planned(task_of(decoded, network), recipe, asked_for, workplace, given.tune, events)
    layers = () if classifier.network is None else layers_of(network)
    if workplace and workplace.begin(recipe, table, layers):  # after everything that may refuse the recipe
        events.said(f"{workplace.folder} is finished already; nothing is left to train.")
        return classifier.adopt(load_run(workplace.folder, classifier.network))
    subject = subject_of(decoded, network, recipe, events)
    heard = workplace.listeners(decoded, recipe, subject.input_shape) if workplace else []
    progress = train(
        subject.network,
        subject.recipe,
        subject.material,
        folder=workplace.checkpoints if workplace else None,
        resume=workplace is not None and workplace.resume,
        events=EventList([events, *heard]),
        stop=stop,
    )
    classifier.network_, classifier.preparation_, classifier.recipe_ = (
        network.eval(),
        decoded.preparation,
        recipe,
    )
    calibration = calibrate(recipe, network, decoded)
    classifier.about_ = describe(decoded, table, built, recipe, progress, calibration, command)
    classifier.decision_ = classifier.gate_ = None
    classifier.classes_, classifier.class_names_ = decoded.labels, decoded.images.classes
    classifier.history_, classifier.splits_, classifier.images_ = progress.history, table, decoded.images
    if workplace:
        classifier.save(workplace.folder)
    return classifier
