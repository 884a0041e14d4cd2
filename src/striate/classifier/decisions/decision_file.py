"""`decision.json` of a run: what was decided on its validation images, bound to the weights by digest.

It is made after the run and may be made again, so the manifest does not list it: it holds the digest of the weights
that it is for, that of its own content, and that of the file of distances where a decision needs them.
"""

import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from striate.classifier.decisions.sureness import Gate
from striate.errors import RunError, StriateError
from striate.evaluation.decisions.decision import Decision, decision_of
from striate.evaluation.decisions.unknown import Gaussians
from striate.files import sha256_of, write_atomically, write_json
from striate.models.weights import read_weights, weights_bytes
from striate.run import WEIGHTS, read_json

DECISION = "decision.json"
ADVICE = "Decide again with `striate evaluate RUN --operate …`, or remove the file."


def write_decision(folder: Path, decision: Decision, gate: Gate | None, command: str | None) -> None:
    """Keep a decision in a run folder, whole or not at all."""
    distances = None if gate is None else _tensors(gate)
    name = (
        None if distances is None else f"distances-{hashlib.sha256(distances).hexdigest()[:16]}.safetensors"
    )
    if distances is not None and name is not None:
        write_atomically(folder / name, distances)
    content = {
        "model_sha256": sha256_of(folder / WEIGHTS),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command or "Classifier.decide in Python",
        **decision.to_dict(),
        "distances": name,
        "distances_sha256": None if distances is None else hashlib.sha256(distances).hexdigest(),
    }
    write_json(folder / DECISION, {**content, "sha256": _digest(content)})
    for old in folder.glob("distances-*.safetensors"):
        if old.name != name:
            with suppress(OSError):
                old.unlink()


def read_decision(folder: Path, classes: tuple[str, ...]) -> tuple[Decision | None, Gate | None]:
    """The decision in a run folder; (None, None) where none was made.

    Raises RunError for a file that was altered, or is of other weights.
    """
    path = folder / DECISION
    if not path.exists():
        return None, None
    content = read_json(path)
    stated = content.pop("sha256", None)
    if stated != _digest(content):
        raise RunError(
            f"{path} is not the file that was written: its SHA-256 differs from the one in it. {ADVICE}"
        )
    if content.get("model_sha256") != sha256_of(folder / WEIGHTS):
        raise RunError(f"{path} was decided for other weights than those of this run. {ADVICE}")
    try:
        decision = decision_of(content)
    except StriateError as error:
        raise RunError(f"{path} cannot be used: {error} {ADVICE}") from error
    if strange := [one.positive for one in decision.operating if one.positive not in classes]:
        raise RunError(f"{path} names a class that this run does not have: {strange[0]!r}. {ADVICE}")
    return decision, _gate(folder, content)


def _gate(folder: Path, content: dict[str, Any]) -> Gate | None:
    if content.get("distances") is None:
        return None
    path = folder / Path(str(content["distances"])).name
    if not path.is_file() or sha256_of(path) != content.get("distances_sha256"):
        raise RunError(f"{path} is missing or not the file that was written beside {DECISION}. {ADVICE}")
    tensors = read_weights(path)
    return Gate(Gaussians(tensors["means"].numpy(), tensors["precision"].numpy()))


def _tensors(gate: Gate) -> bytes:
    means, precision = torch.from_numpy(gate.gaussians.means), torch.from_numpy(gate.gaussians.precision)
    return weights_bytes({"means": means, "precision": precision})


def _digest(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
