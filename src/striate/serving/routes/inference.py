"""The Open Inference Protocol, version 2, so that clients of KServe and Triton work unchanged."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response

import striate
from striate.serving.answering.tensors import Tensor, read_request, read_tensors, write_response
from striate.serving.refusals import Refusal
from striate.serving.service import Service

VERSION = "1"
WHOLE = {255.0: np.uint8, 65535.0: np.uint16}
"""What float values are where full_scale says so."""
DECIDED: dict[str, Callable[[int], list[int]]] = {
    "abstained": lambda classes: [-1],
    "set": lambda classes: [-1, classes],
}
"""The shapes of what a decision adds: whether no answer is given, and which classes are in the prediction set."""
HOW = (
    "Send input image (BYTES, shape [n]: whole files), or pixels (UINT8, UINT16, INT16 or FP32, shape"
    " [n, height, width, channels]: raw values, for FP32 with full_scale 255, 65535 or 1)."
)


def router(service: Service) -> APIRouter:
    """Everything below `/v2`."""
    routes = APIRouter(prefix="/v2", tags=["Open Inference Protocol"])

    @routes.get("")
    async def server() -> dict[str, Any]:
        """What this server is."""
        return {"name": "striate", "version": version("striate"), "extensions": ["binary_tensor_data"]}

    @routes.get("/health/live")
    async def live() -> dict[str, bool]:
        """The process answers."""
        return {"live": True}

    @routes.get("/health/ready")
    async def ready() -> dict[str, bool]:
        """Answers can be had; 503 otherwise."""
        service.require_classifier()
        return {"ready": True}

    @routes.get("/models/{name}")
    @routes.get("/models/{name}/versions/{number}")
    async def metadata(name: str, number: str = VERSION) -> dict[str, Any]:
        """What the model takes and gives."""
        return described(known(service, name, number), name)

    @routes.get("/models/{name}/ready")
    @routes.get("/models/{name}/versions/{number}/ready")
    async def model_ready(name: str, number: str = VERSION) -> dict[str, Any]:
        """The model answers."""
        known(service, name, number)
        return {"name": name, "ready": True}

    @routes.post("/models/{name}/infer")
    @routes.post("/models/{name}/versions/{number}/infer")
    async def infer(request: Request, name: str, number: str = VERSION) -> Response:
        """Answers to pictures given as tensors or as files."""
        known(service, name, number)
        if request.headers.get("content-encoding"):
            raise Refusal(415, "Compressed requests are not taken.", advice="Send it uncompressed.")
        content, behind = read_request(
            await request.body(), request.headers.get("inference-header-content-length")
        )
        pictures = pictures_in(read_tensors(content["inputs"], behind), service.settings.max_files)
        answers = await answered(service, pictures)
        tensors = outputs_of(service, answers)
        wanted = wanted_outputs(content, [one.name for one in tensors])
        head: dict[str, Any] = {"model_name": name, "model_version": VERSION}
        if isinstance(content.get("id"), str):
            head["id"] = content["id"]
        chosen = [one for one in tensors if one.name in wanted]
        body, length = write_response(head, chosen, wanted)
        if length is None:
            return Response(body, media_type="application/json")
        headers = {"Inference-Header-Content-Length": str(length)}
        return Response(body, media_type="application/octet-stream", headers=headers)

    return routes


def known(service: Service, name: str, number: str) -> striate.Classifier:
    """The classifier behind a name and version; Refusal 404 for another."""
    classifier = service.require_classifier()
    assert service.run is not None, "a classifier comes from a run"
    mine = service.run.resolve().name
    if name != mine or number != VERSION:
        raise Refusal(
            404,
            "There is no such model, or no such version of it.",
            given=f"{name[:80]}, version {number[:20]}",
            allowed=f"{mine}, version {VERSION}",
        )
    return classifier


def described(classifier: striate.Classifier, name: str) -> dict[str, Any]:
    """The model's metadata: one of the inputs `image` and `pixels` is to be given."""
    classes = len(classifier.class_names_)
    return {
        "name": name,
        "versions": [VERSION],
        "platform": "striate",
        "inputs": [
            {"name": "image", "datatype": "BYTES", "shape": [-1]},
            {"name": "pixels", "datatype": "FP32", "shape": [-1, -1, -1, -1]},
            {"name": "full_scale", "datatype": "FP32", "shape": [1]},
        ],
        "outputs": [
            {"name": "probabilities", "datatype": "FP64", "shape": [-1, classes]},
            {"name": "class", "datatype": "BYTES", "shape": [-1]},
            *(
                {"name": one, "datatype": "BOOL", "shape": DECIDED[one](classes)}
                for one in decided(classifier)
            ),
        ],
        "parameters": {"inputs": HOW, "classes": list(classifier.class_names_)},
    }


def decided(classifier: striate.Classifier) -> list[str]:
    """The outputs that this run's decision adds."""
    decision = classifier.decision_
    if decision is None or decision.by != "image":
        return []
    return [name for name, one in (("abstained", decision.abstention), ("set", decision.sets)) if one]


def pictures_in(tensors: dict[str, Tensor], most: int) -> list[bytes | np.ndarray]:
    """The pictures of a request, as files or as arrays; Refusal 400 for anything else."""
    unknown = sorted(set(tensors) - {"image", "pixels", "full_scale"})
    if unknown or ("image" in tensors) == ("pixels" in tensors):
        given = ", ".join(tensors) or "none"
        raise Refusal(400, "The inputs are others than the model has.", given=given, advice=HOW)
    one = tensors.get("image") or tensors["pixels"]
    if not 1 <= (len(one.values) if one.values.ndim else 0) <= most:
        raise Refusal(
            413 if one.values.ndim and len(one.values) else 400,
            "A request holds another number of pictures.",
            given=str(list(one.values.shape)),
            allowed=f"1 to {most}",
        )
    if one.name == "image":
        if one.kind != "BYTES":
            raise Refusal(400, "Input image is not of BYTES.", given=one.kind, advice=HOW)
        return [bytes(data) for data in one.values.ravel()]
    return list(as_stored(one, tensors.get("full_scale")))


def as_stored(one: Tensor, full_scale: Tensor | None) -> np.ndarray:
    """Pixels in the depth their file had: floating-point ones by their full_scale."""
    values = one.values
    if values.ndim != 4 or values.shape[3] not in (1, 3):
        given = str(list(values.shape))
        raise Refusal(
            400, "Input pixels has another shape.", given=given, allowed="[n, height, width, 1 or 3]"
        )
    if one.kind not in ("UINT8", "UINT16", "INT16", "FP32"):
        raise Refusal(400, "Input pixels has another data type.", given=one.kind, advice=HOW)
    if one.kind != "FP32":
        return values
    scale = 1.0 if full_scale is None or full_scale.values.size != 1 else float(full_scale.values.ravel()[0])
    if scale == 1.0:
        return values
    if scale not in WHOLE:
        raise Refusal(
            400, "Input full_scale is another number.", given=f"{scale:g}", allowed="255, 65535 or 1"
        )
    whole = np.clip(values, 0, scale).astype(WHOLE[scale]) if np.isfinite(values).all() else None
    if whole is None or not np.array_equal(whole, values):
        allowed = f"whole numbers from 0 to {scale:.0f}"
        raise Refusal(400, "Input pixels holds values that full_scale does not allow.", allowed=allowed)
    return whole


async def answered(service: Service, pictures: list[bytes | np.ndarray]) -> list[striate.Answer]:
    """The answers; Refusal 422 where one picture cannot be read, for an answer has no place for that."""
    service.enter(len(pictures))
    try:
        prepared = await service.prepare_all(pictures)
        for one in prepared:
            if isinstance(one, Refusal):
                raise one
        ready = [(str(place), one) for place, one in enumerate(prepared) if not isinstance(one, Refusal)]
        return await service.answer(ready)
    finally:
        service.leave(len(pictures))


def outputs_of(service: Service, answers: list[striate.Answer]) -> list[Tensor]:
    """What is answered, as tensors; `class` is empty where no answer is given."""
    classifier = service.require_classifier()
    names = classifier.class_names_
    chances = np.array([[(one.probabilities or {})[name] for name in names] for one in answers])
    said = np.empty(len(answers), object)
    said[:] = [(one.said or "").encode("utf8", "replace") for one in answers]
    more = {
        "abstained": np.array([bool(one.abstained) for one in answers]),
        "set": np.array([[name in (one.classes or ()) for name in names] for one in answers]),
    }
    return [
        Tensor("probabilities", "FP64", chances),
        Tensor("class", "BYTES", said),
        *(Tensor(name, "BOOL", more[name]) for name in decided(classifier)),
    ]


def wanted_outputs(content: dict[str, Any], names: list[str]) -> dict[str, bool]:
    """The outputs that are asked for, and whether each as bytes; Refusal 400 for one there is not."""
    parameters = content.get("parameters")
    every = bool(parameters.get("binary_data_output")) if isinstance(parameters, dict) else False
    asked = content.get("outputs")
    if not asked:
        return dict.fromkeys(names, every)
    wanted: dict[str, bool] = {}
    for one in asked if isinstance(asked, list) else [asked]:
        name = one.get("name") if isinstance(one, dict) else None
        if name not in names:
            raise Refusal(400, "There is no such output.", given=str(name)[:80], allowed=", ".join(names))
        own = one.get("parameters")
        wanted[name] = bool(own.get("binary_data", every)) if isinstance(own, dict) else every
    return wanted
