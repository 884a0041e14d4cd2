"""What is served: the run's classes, input, decision, calibration, and how it did on its test images."""

import json
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter

import striate
from striate.serving.service import Service

NUMBERS = (
    "images",
    "split",
    "unit",
    "confidence",
    "accuracy",
    "balanced_accuracy",
    "log_loss",
    "one_vs_one",
    "scores",
    "brier",
    "per_class",
    "created",
)
"""What is told of an evaluation: nothing that names an image or a folder."""


def router(service: Service) -> APIRouter:
    """`GET /model`."""
    routes = APIRouter(tags=["model"])

    @routes.get("/model")
    async def model() -> dict[str, Any]:
        """The run that is served, its limits, and the state of the service."""
        return about(service)

    return routes


def about(service: Service) -> dict[str, Any]:
    """Everything that a page or a client must know before it asks."""
    classifier, responder, settings = service.classifier, service.responder, service.settings
    told: dict[str, Any] = {
        "striate": version("striate"),
        "notice": "For research; not a medical device.",
        "run": service.run.resolve().name if service.run else None,
        "state": service.state,
        "reason": service.reason,
        "limits": {
            "max_body": settings.max_body,
            "max_files": settings.max_files,
            "max_pixels": settings.max_pixels,
            "timeout": settings.timeout,
        },
    }
    if classifier is None or responder is None:
        return told
    facts, evaluation = classifier.facts_, evaluation_of(service)
    preparation = facts["preparation"]
    return {
        **told,
        "engine": responder.engine,
        "engine_note": responder.note,
        "classes": facts["classes"],
        "input": {name: preparation[name] for name in ("height", "width", "channels", "depth")},
        "network": {name: facts[name] for name in ("model", "parameters", "multiply_adds")},
        "preparation": preparation,
        "views": facts["views"],
        "calibration": facts["calibration"],
        "decision": facts["decision"],
        "digests": {name: facts[name] for name in ("model_sha256", "preparation_sha256")},
        "evaluation": evaluation and {name: evaluation.get(name) for name in NUMBERS},
        "beside": striate.beside_answers(facts["decision"], evaluation),
        "notes": classifier.notes_,
    }


def evaluation_of(service: Service) -> dict[str, Any] | None:
    """The run's verdict on its test images, as `striate evaluate` wrote it; None where it has not."""
    try:
        return json.loads((service.run / "evaluation.json").read_text("utf8")) if service.run else None
    except (OSError, ValueError):
        return None
