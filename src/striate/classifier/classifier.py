"""`Classifier`: scikit-learn's contract over the whole path from images to a verdict."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Shaped
from torch import nn

from striate.classifier import judging
from striate.classifier.answer import Answer, labels_of
from striate.classifier.answering import stream
from striate.classifier.contract import Contract, not_fitted, share_right
from striate.classifier.decisions.calibrating import calibration_in, require_calibration
from striate.classifier.decisions.deciding import Wishes
from striate.classifier.decisions.decision_file import read_decision, write_decision
from striate.classifier.explaining.question import Question
from striate.classifier.explaining.reason import Reason, explain_one
from striate.classifier.exportable import Exportable
from striate.classifier.fitting import fit_classifier
from striate.classifier.labels import typed
from striate.classifier.material import Given
from striate.classifier.prediction import Predictor
from striate.classifier.workplace import Workplace
from striate.data import ArraySource, Images, build_pack, load_images
from striate.errors import ImageError
from striate.evaluation import Verdict
from striate.evaluation.decisions.decision import Decision
from striate.files import explain
from striate.pixels.picture import Picture
from striate.run import Run, load_run, save_run
from striate.training.device import answering_device
from striate.training.events import EventList, Events
from striate.training.recipe import Recipe


class Classifier(Exportable, Contract):
    """A convolutional classifier of images, with scikit-learn's contract.

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> X = (X.reshape(-1, 8, 8) * 15).astype("uint8")
    >>> classifier = Classifier(Recipe(epochs=2)).fit(X[:1000], y[:1000])
    >>> classifier.predict(X[1000:]).shape, classifier.predict_proba(X[1000:]).shape
    ((797,), (797, 10))

    The constructor stores the recipe (`Recipe()` when None) and, in place of the recipe's model, a network of your
    own: any `torch.nn.Module` from images to logits, taken apart as `striate.wrap` says; a copy is trained, from its
    weights. `fit` learns. Learned: `classes_` (as the labels were given), `network_`, `preparation_`, `history_` (one
    record an epoch), `kept_` (the record of the epoch whose weights are kept).
    """

    def __init__(self, recipe: Recipe | None = None, *, network: nn.Module | None = None) -> None:
        self.recipe = recipe
        self.network = network

    def fit(
        self,
        X: Images | Shaped[np.ndarray, "..."],
        y: Sequence[Any] | np.ndarray | None = None,
        *,
        validation: Images | tuple[Any, Any] | None = None,
        splits: str | os.PathLike | None = None,
        out: str | os.PathLike | None = None,
        resume: bool = False,
        events: Sequence[Events] = (),
        stop: Callable[[], bool] = lambda: False,
        command: str | None = None,
        stream: bool = False,
        tune: bool = False,
    ) -> "Classifier":
        """Train on a table of images, or on arrays.

        Args:
            X: `Images`, with or without splits; or uint8, uint16 or float arrays `image height width [channel]`.
            y: labels of the arrays, of any type that can be sorted; None for `Images`.
            validation: images of the same source, or `(X, y)`; cut from the training images when None.
            splits: a `splits.csv` to use instead of splitting anew.
            out: folder for checkpoints, TensorBoard events and the finished run; None keeps all in memory.
            resume: go on from the newest checkpoint in `out`, or begin where there is none.
            events: listeners, told what happens.
            stop: asked after every step; when true the state is saved and Interrupted raised.
            command: the command to be recorded as what made the run.
            stream: decode pictures anew in every epoch instead of keeping a pack of them on the disk; same weights.
            tune: time some steps first; take what is fastest here of precision, threads and batch size.

        Raises:
            SourceError: images that are no usable training set. ModelError: a network that does not exist or fit.
                RunError: `out` holds another run, or one that cannot be resumed. TrainingError: a loss that is not
                finite, or too little memory. Interrupted: `stop` was true.
        """
        workplace = Workplace(Path(out), resume=resume) if out is not None else None
        try:
            given = Given(X, y, validation, Path(splits) if splits else None, stream, tune)
            return fit_classifier(self, given, workplace, EventList(events), stop, command)
        except BrokenPipeError:  # a listener's reader has left: no matter of ours
            raise
        except OSError as error:
            raise explain(error, Path(error.filename or out or "."), 0) from error
        finally:
            if workplace:
                workplace.release()

    def predict(self, X: Images | Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, " images"]:
        """The class of every image, as labels were given to `fit`: the most probable, or that of an operating point."""
        chances = self.predict_proba(X)
        return self.classes_[labels_of(chances, self.class_names_, self.decision_)]

    def predict_proba(self, X: Images | Shaped[np.ndarray, "..."]) -> Float64[np.ndarray, "images classes"]:
        """Probabilities `image class` in the order of `classes_`; raises ImageError if an image cannot be read."""
        predictor = self.predictor_
        images = (
            X if isinstance(X, Images) else load_images(ArraySource(np.asarray(X), np.zeros(len(X), int)))
        )
        pack = build_pack(images.source, predictor.preparation)
        readable = images.with_pack(pack)
        if len(readable) < len(images):
            asked = set(images.names)
            name, reason = next((name, reason) for name, reason in readable.unreadable if name in asked)
            raise ImageError(
                f"{name} cannot be read: {reason}. Use answers(), which gives every image its own row."
            )
        return predictor.of_rows(pack.pixels, readable.rows)

    def predict_one(self, image: str | os.PathLike | bytes | Shaped[np.ndarray, "..."]) -> Answer:
        """The answer for one picture: a file, its bytes, or an array `height width [channel]`.

        Raises ImageError where the picture cannot be read.
        """
        return judging.answer_one(self.predictor_, image)

    def explain(
        self,
        image: str | os.PathLike | bytes | Picture | Shaped[np.ndarray, "..."],
        *,
        method: str = "gradcam",
        stage: str | None = None,
        label: Any = None,
        **options: Any,
    ) -> Reason:
        """Where the network looked to give one picture, read as by `predict_one`, its class.

        `method` is one of `striate.explanation.METHODS`; `stage` one that makes maps, the deepest that says where
        when None; `label` the class to be explained, the predicted one when None; `options` are the method's own.
        Raises ImageError where the picture cannot be read, ModelError or UsageError for a method, stage, class or
        option that does not exist, and ModelError where the method cannot be right for this network.
        """
        question = Question(method=method, stage=stage, label=label, options=options)
        return explain_one(self.predictor_, image, question)

    def answers(
        self, paths: Iterable[str | os.PathLike], *, pseudonymous: bool = False, digests: bool = False
    ) -> Iterator[Answer]:
        """Answers for every picture in files, folders and archives, in order, however many there are.

        A picture that cannot be read gets an answer with `error` set. Memory does not grow with their number.
        `pseudonymous` calls pictures by keyed digests; with `digests` answers tell the SHA-256 of the network's input.
        """
        return stream(self.predictor_, paths, pseudonymous=pseudonymous, digests=digests)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Accuracy on labelled images: a table, or arrays and their labels."""
        if y is None:
            return judging.table_accuracy(self, X)
        predicted, truth = self.predict(X), np.asarray(y)
        if predicted.dtype.kind == "U":  # a run trained from a folder calls its classes by text
            truth = truth.astype(str)
        return share_right(truth, predicted, sample_weight)

    def evaluate(self, X: Any = None, y: Any = None, **asked: Any) -> Verdict:
        """The verdict on labelled images: the run's own split, another source, a table, or arrays.

        Args:
            X: None for the run's own images; a path; `Images`; or arrays with their labels `y`.
            asked: how to judge; the fields of `Asked`: `split` of the run's own images, or of a source with
                ready-made splits; `leaks` "refuse" when an image was trained on, "drop" such images, or "accept"
                them; `grouping`, a column and an expression as of `load_images`; `pseudonymous`; `by`, `subgroups`,
                `unknown` and `prevalence` as there.

        Raises SourceError where an image, or one of its group, was trained on, for classes that the run does not know
        and images that changed, and as `Asked` says.
        """
        self._require_fitted()
        return judging.judge_images(self, X, y, judging.Asked(**asked)).verdict

    def decide(
        self,
        *,
        grouping: tuple[str | None, str | None] = (None, None),
        seen: bool = False,
        **wishes: Any,
    ) -> Decision:
        """Choose operating points, a threshold for answering and prediction sets, on the run's validation images.

        They replace what was decided before; `predict`, `predict_one`, `answers` and `evaluate` go by them from then
        on, and `save` keeps them. `grouping` is a column and an expression, as of `load_images`; `seen` whether the
        test images had been judged before, which the decision then says; `wishes` are the fields of `Wishes`. Raises
        UsageError for a wish that cannot be read or that no threshold fulfils, and for a class that does not exist;
        SourceError where the run's images are not where they were.
        """
        self._require_fitted()
        asked = judging.Asked(grouping=grouping)
        self.decision_, self.gate_ = judging.decide_on(self, Wishes(**wishes), asked, seen=seen)
        return self.decision_

    def save_decision(self, folder: str | os.PathLike, command: str | None = None) -> None:
        """Keep what `decide` chose in the folder of this run, in place of what was there."""
        if self.decision_ is not None:
            write_decision(Path(folder), self.decision_, self.gate_, command)

    def report(
        self,
        folder: str | os.PathLike,
        X: Any = None,
        y: Any = None,
        *,
        command: str | None = None,
        **asked: Any,
    ) -> Verdict:
        """`evaluate`, and write evaluation.json, predictions.csv and .png, report.html, inside.html, README.md."""
        from striate.classifier.reporting import write_report

        self._require_fitted()
        judged = judging.judge_images(self, X, y, judging.Asked(**asked))
        write_report(Path(folder), self, judged, command)
        return judged.verdict

    def save(self, folder: str | os.PathLike) -> None:
        """Write the run to a folder that needs nothing else; see `striate.run`."""
        self._require_fitted()
        save_run(Path(folder), self.network_, self.about_, self.recipe_, self.history_, self.splits_)
        self.save_decision(folder)

    @classmethod
    def load(cls, folder: str | os.PathLike, *, network: nn.Module | None = None) -> "Classifier":
        """The classifier of a run folder, after its files are checked; runs no code from it.

        A run of a network of your own needs that network again, with any weights: a run holds no code.

        Raises:
            RunError: not a finished run, a missing or altered file, a newer format, or another network.
        """
        run = load_run(Path(folder), network)
        return cls(run.recipe, network=network).adopt(run)

    @property
    def predictor_(self) -> Predictor:
        """The network with its preparation, as it answers; made once for each network that was learned."""
        self._require_fitted()
        known: Predictor | None = getattr(self, "_predictor", None)
        if known is None or known.network is not self.network_ or known.decision is not self.decision_:
            known = Predictor(
                self.network_,
                self.preparation_,
                self.class_names_,
                views=self.recipe_.views,
                calibration=calibration_in(self.about_),
                decision=self.decision_,
                gate=self.gate_,
                device=answering_device(self.recipe_),
            )
            self._predictor = known
        return known

    @property
    def notes_(self) -> list[str]:
        """What whoever asks for answers must know of this run's decision, in sentences."""
        self._require_fitted()
        if self.decision_ is None or self.decision_.by == "image":
            return []
        return [
            "what this run has decided is about groups of images, so single images are answered without it."
        ]

    @property
    def kept_(self) -> dict[str, Any]:
        """The history's record of the epoch whose weights are kept."""
        self._require_fitted()
        return self.history_[self.about_["kept_epoch"] - 1]

    def adopt(self, run: Run) -> "Classifier":
        """Become what a run folder holds."""
        self.network_, self.preparation_, self.recipe_ = run.network, run.preparation, run.recipe
        self.classes_, self.class_names_ = (
            typed(run.classes, run.about.get("label_type", "text")),
            run.classes,
        )
        self.history_, self.about_ = run.history, run.about
        self.images_: Images | None = None
        self.splits_ = run.splits.read_bytes()
        require_calibration(run)
        self.decision_, self.gate_ = read_decision(run.folder, run.classes)
        return self

    def _require_fitted(self) -> None:
        if not hasattr(self, "network_"):
            raise not_fitted("This Classifier is not fitted yet: call fit, or Classifier.load(run).")
