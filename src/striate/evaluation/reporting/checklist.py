"""The items of CLAIM and TRIPOD+AI: those that a run can answer, each from the fields named beside it, and the rest.

Numbers and names: Tejani et al. 2024, Radiology: Artificial Intelligence 6(4), doi 10.1148/ryai.240300 (CLAIM 2024,
44 items); Collins et al. 2024, BMJ 385:e078378 (TRIPOD+AI, 27 items).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from striate.evaluation.reporting import checklist_answers as answers
from striate.evaluation.reporting import checklist_results as results
from striate.evaluation.reporting.checklist_answers import UNSAID
from striate.evaluation.reporting.markdown import plain, table

Files = Mapping[str, Any]
"""The content of a run's files by their names; of splits.csv its columns, of history.jsonl its lines."""
BLANK = "*To be written by whoever uses it.*"


@dataclass(frozen=True)
class Item:
    """An item, its numbers in both lists, and the fields (`file: path.to.field`) that its answer follows from."""

    name: str
    claim: str
    tripod: str
    fields: tuple[str, ...]
    answer: Callable[..., str]

    def of(self, files: Files) -> str:
        """What a run says of it."""
        return self.answer(*(look_up(files, field) for field in self.fields))


EVALUATION, MODEL, DATA, RECIPE = "evaluation.json: ", "model.json: ", "data.json: ", "recipe.json: "
ITEMS = (
    Item("Data sources", "7", "5a", (DATA + "source", EVALUATION + "split"), answers.source),
    Item(
        "Inclusion and exclusion criteria",
        "8",
        "6b",
        (DATA + "unreadable", DATA + "dropped"),
        answers.left_out,
    ),
    Item("Data preprocessing", "9", "7, 12b", (MODEL + "preparation",), answers.preparation),
    Item("De-identification methods", "11", "", (DATA + "pseudonyms",), answers.pseudonyms),
    Item("How missing data were handled", "12", "11", (DATA + "unreadable",), answers.missing),
    Item(
        "How data were assigned to partitions",
        "19",
        "12a",
        (DATA + "counts", DATA + "splits_sha256", RECIPE + "seed"),
        answers.assigned,
    ),
    Item(
        "Level at which partitions are disjoint",
        "20",
        "12a",
        ("splits.csv: split", "splits.csv: digest", "splits.csv: group"),
        answers.disjoint,
    ),
    Item(
        "Detailed description of model",
        "22",
        "12c, 22",
        (*(MODEL + name for name in ("model", "parameters", "multiply_adds", "classes", "network")),),
        answers.model,
    ),
    Item("Software libraries, frameworks, packages", "23", "", (MODEL + "provenance",), answers.software),
    Item(
        "Initialisation of model parameters",
        "24",
        "12c",
        (MODEL + "weights", RECIPE + "initialisation", RECIPE + "freeze"),
        answers.first_weights,
    ),
    Item("Details of training approach", "25", "12c", ("recipe.json",), answers.training),
    Item(
        "Method of selecting the final model",
        "26",
        "12c",
        (RECIPE + "keep", RECIPE + "early_stop", MODEL + "kept_epoch", "history.jsonl"),
        answers.selected,
    ),
    Item("Ensembling techniques", "27", "12c", (RECIPE + "views",), answers.ensembling),
    Item("Class imbalance methods", "", "13", (RECIPE + "balance", DATA + "counts"), answers.imbalance),
    Item("Model output", "", "15", (EVALUATION + "decided", MODEL + "classes"), answers.output),
    Item(
        "Metrics of model performance",
        "28",
        "12e",
        (
            EVALUATION + "methods",
            EVALUATION + "top5",
            EVALUATION + "decided",
            EVALUATION + "unknown",
            EVALUATION + "subgroups_by",
        ),
        results.metrics,
    ),
    Item(
        "Statistical measures of uncertainty",
        "29",
        "12e",
        (EVALUATION + "confidence", EVALUATION + "groups", EVALUATION + "images", EVALUATION + "unit"),
        results.uncertainty,
    ),
    Item(
        "Robustness or sensitivity analysis",
        "30",
        "12d, 23b",
        (EVALUATION + "subgroups_by", EVALUATION + "subgroups", EVALUATION + "unknown"),
        results.robustness,
    ),
    Item("Methods for explainability", "31", "", (EVALUATION + "reasons",), results.explained),
    Item(
        "Evaluation on internal data",
        "32",
        "",
        (EVALUATION + "split", EVALUATION + "images", EVALUATION + "unit", EVALUATION + "leaks"),
        results.internal,
    ),
    Item("Testing on external data", "33", "16", (EVALUATION + "split",), results.external),
    Item(
        "Model updating",
        "",
        "12f, 24",
        (MODEL + "calibration", EVALUATION + "uncalibrated"),
        results.updating,
    ),
    Item("How predictions were calculated", "", "12g", (EVALUATION + "created",), results.calculated),
    Item(
        "Numbers included and excluded",
        "35",
        "20a",
        (DATA + "counts", DATA + "unreadable", DATA + "dropped", EVALUATION + "images", EVALUATION + "unit"),
        results.flow,
    ),
    Item(
        "Numbers in each analysis",
        "",
        "21",
        (DATA + "counts", MODEL + "calibration", EVALUATION + "decided", EVALUATION + "per_class"),
        results.analyses,
    ),
    Item(
        "Performance metrics and their uncertainty",
        "37",
        "23a",
        (EVALUATION + "accuracy", EVALUATION + "balanced_accuracy", EVALUATION + "one_vs_one"),
        results.performance,
    ),
    Item(
        "Estimates of diagnostic performance",
        "38",
        "23a",
        (EVALUATION + "per_class",),
        results.diagnostic,
    ),
    Item(
        "Failure analysis of incorrect results",
        "39",
        "",
        (EVALUATION + "confusion_matrix", EVALUATION + "classes"),
        results.failures,
    ),
    Item("Availability of software, model, data", "43", "18e, 18f", ("manifest.json",), results.available),
)
UNANSWERED = (
    ("Identification as a study of AI methodology; title", "1", "1"),
    ("Abstract", "2", "2"),
    ("Background; health care context and inequalities", "3", "3a, 3b, 3c"),
    ("Aims, objectives and hypotheses", "4", "4"),
    ("Prospective or retrospective; dates of collection", "5", "5b"),
    ("Study goal and setting; treatments received", "6", "6a, 6c"),
    ("Selection of data subsets", "10", ""),
    ("Image acquisition protocol; predictors", "13", "9a, 9b, 9c"),
    ("How the reference standard was obtained; outcome", "14", "8a"),
    ("Rationale for choosing the reference standard", "15", ""),
    ("Source of the reference standard's annotations; assessors", "16", "8b"),
    ("Annotation of the test set; blinding", "17", "8c"),
    ("Variability between and within annotators", "18", ""),
    ("Intended sample size", "21", "10"),
    ("Approaches to fairness", "", "14"),
    ("Ethical approval", "", "17"),
    ("Registration of the study", "34", "18d"),
    ("Patient and public involvement", "", "19"),
    ("Demographic and clinical characteristics of each partition", "36", "20b, 20c"),
    ("Limitations, beyond those that are computed above", "40", "26"),
    ("Interpretation; implications for practice, use and users", "41", "25, 27a, 27b, 27c"),
    ("Study protocol", "42", "18c"),
    ("Funding, role of funders, conflicts of interest", "44", "18a, 18b"),
)
"""What no software can fill in: names, and numbers in CLAIM and TRIPOD+AI."""


def pointers(fields: Sequence[str]) -> str:
    """Fields by their files.

    >>> pointers(["data.json: source", "recipe.json", "data.json: counts"])
    'data.json: source, counts; recipe.json'
    """
    found: dict[str, list[str]] = {}
    for name, _, path in (field.partition(": ") for field in fields):
        found.setdefault(name, []).extend([path] if path else [])
    return "; ".join(f"{name}: {', '.join(paths)}" if paths else name for name, paths in found.items())


def look_up(files: Files, field: str) -> Any:
    """The field of a file; None where the file or the field is not there."""
    name, _, path = field.partition(": ")
    found = files.get(name)
    for part in filter(None, path.split(".")):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def render_checklist(files: Files) -> str:
    """Both tables as Markdown: what this run answers and from where, and what is left to its user."""
    filled = [(one.claim, one.tripod, one.name, one.of(files), pointers(one.fields)) for one in ITEMS]
    blank = [f"| {claim} | {tripod} | {plain(name)} | {BLANK} |" for name, claim, tripod in UNANSWERED]
    return "\n\n".join(
        [
            "CLAIM 2024: Tejani et al., Radiology: Artificial Intelligence 2024, doi 10.1148/ryai.240300. TRIPOD+AI: "
            f"Collins et al., BMJ 2024;385:e078378. {len(ITEMS)} items are answered from the files of this run, each "
            "from the fields in its last column, and can be computed again from them.",
            table(["CLAIM 2024", "TRIPOD+AI", "Item", "This run", "From"], filled).replace(
                UNSAID, f"*{UNSAID}*"
            ),
            f"{len(UNANSWERED)} items no software can answer:",
            "\n".join(["| CLAIM 2024 | TRIPOD+AI | Item | Answer |", "|---|---|---|---|", *blank]),
        ]
    )
