"""Answers a second over HTTP beside bare onnxruntime on the same files, and beside LitServe with the same graph.

The load generator is `bench.serving_rate`, in a process of its own on the same cores. `STRIATE_LITSERVE` is the python
of an environment with litserve, onnxruntime, pillow, numpy and python-multipart; without it LitServe is left out.
"""

import base64
import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any
from zipfile import ZipFile

import numpy as np
import onnxruntime
import torch
from PIL import Image
from scipy.special import softmax

import striate
from bench.measure import scratch, spread

ROUNDS, FILES, AT_ONCE = 5, 2_048, 64
CONCURRENT = 10_000
PEER = Path(__file__).parent / "peers" / "litserve_classifier.py"
BOUNDARY = "between-two-files"


def lines(data: Path) -> Iterator[str]:
    """A small network on CIFAR-10's JPEG files: rates in turns, then 10,000 concurrent answers."""
    with scratch() as name, ZipFile(data / "cifar10.zip") as archive:
        members = [one for one in archive.namelist() if one.endswith((".jpg", ".png"))][:FILES]
        files = [archive.read(one) for one in members]
        run = Path(name) / "run"
        trained(data).save(run)
        bare(striate.Classifier.load(run), run / "bare.onnx")
        with serving(run) as port:
            yield from rates(run, files, port)
            yield from concurrent(files, port)


def trained(data: Path) -> striate.Classifier:
    """`compact`, the default network, after an epoch on some images: what it says does not matter here."""
    images = striate.load_images(data / "cifar10.zip")
    some = images.select(np.random.default_rng(0).permutation(len(images))[:2_000])
    return striate.Classifier(striate.Recipe(model="compact", epochs=1)).fit(some)


def bare(classifier: striate.Classifier, path: Path) -> None:
    """The network alone as torch's own exporter writes it: normalised pictures in, logits out."""
    network, preparation = classifier.network_.eval(), classifier.preparation_
    example = torch.zeros(2, *preparation.input_shape())
    batch = {0: torch.export.Dim("batch", min=1)}
    with contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(
            network, (example,), path, dynamic_shapes=(batch,), dynamo=True, external_data=False,
            input_names=["pictures"], output_names=["logits"],
        )  # fmt: skip
    scale, offset = preparation.affine()
    np.savez(path.with_suffix(".npz"), scale=scale, offset=offset)


def pictures(files: Sequence[bytes]) -> np.ndarray:
    """Decoded by Pillow alone."""
    return np.stack([np.asarray(Image.open(io.BytesIO(one)).convert("RGB")) for one in files])


@contextlib.contextmanager
def serving(run: Path) -> Iterator[int]:
    """`striate serve` in a process of its own; its port."""
    words = [sys.executable, "-m", "striate", "serve", str(run), "--port", "0", "--json"]
    with started([*words, "--engine", "onnxruntime"]) as process:
        assert process.stdout
        port = int(json.loads(process.stdout.readline())["url"].rstrip("/").rsplit(":", 1)[1])
        until_ready(f"http://127.0.0.1:{port}/health/ready")
        yield port


@contextlib.contextmanager
def litserving(model: Path) -> Iterator[int | None]:
    """LitServe with the exported file in a process of its own; its port, or None where it is not installed."""
    python = os.environ.get("STRIATE_LITSERVE")
    if python is None:
        yield None
        return
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with started([python, str(PEER), str(model), str(port)]):
        until_ready(f"http://127.0.0.1:{port}/health")
        yield port


@contextlib.contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process, ended with all its children when the block is left."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until_ready(address: str) -> None:
    """Wait for a 200, for two minutes at most."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{address} did not become ready")


def rates(run: Path, files: list[bytes], port: int) -> Iterator[str]:
    """Images a second in turns: bare onnxruntime, the service in three ways, LitServe."""
    forms = [form(files[start : start + AT_ONCE]) for start in range(0, FILES, AT_ONCE)]
    tensors = [tensor(files[start : start + AT_ONCE]) for start in range(0, FILES, AT_ONCE)]
    multipart, jpeg = (
        {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
        {"Content-Type": "image/jpeg"},
    )
    infer = f"/v2/models/{run.name}/infer"
    found: dict[str, list[tuple[float, float, float]]] = {}
    with litserving(run / "bare.onnx") as peer:
        for _ in range(ROUNDS):
            bare = found.setdefault("bare", [])
            bare.append(alone(run / "bare.onnx", files))
            say = found.setdefault(f"{AT_ONCE} files a request, 4 connections", [])
            say.append(load(port, "/predict", multipart, forms, 4, len(forms) * 2, AT_ONCE))
            say = found.setdefault(f"{AT_ONCE} decoded pictures a request (protocol v2), 4 connections", [])
            say.append(
                load(port, infer, tensors[0][1], [body for body, _ in tensors], 4, len(tensors) * 2, AT_ONCE)
            )
            say = found.setdefault("a file a request, 16 connections", [])
            say.append(load(port, "/predict", jpeg, files, 16, FILES, 1))
            if peer:
                say = found.setdefault("LitServe, a file a request, 16 connections", [])
                say.append(load(peer, "/predict", multipart, [form([one]) for one in files], 16, FILES, 1))
    yield from told(found)


def told(found: dict[str, list[tuple[float, float, float]]]) -> Iterator[str]:
    """A line a way: images a second, its ratio to bare onnxruntime round by round, p50 and p99 of a request."""
    bare = [rate for rate, _, _ in found.pop("bare")]
    yield f"bare onnxruntime, {AT_ONCE} files decoded one after the other, then answered: {spread(bare, 0)} images/s"
    for name, rounds in found.items():
        shares = [rate / alone for (rate, _, _), alone in zip(rounds, bare, strict=True)]
        p50, p99 = (median(one[place] for one in rounds) for place in (1, 2))
        yield (
            f"{name}: {spread([rate for rate, _, _ in rounds], 0)} images/s, {spread(shares, 2)} of bare;"
            f" request p50 {p50:.1f} ms, p99 {p99:.1f} ms"
        )
    if any(name.startswith("LitServe") for name in found):
        ours, theirs = (found[name] for name in found if "a file a request" in name)
        shares = [a / b for (a, _, _), (b, _, _) in zip(ours, theirs, strict=True)]
        yield f"striate / LitServe, a file a request: {spread(shares, 2)}"
    else:
        yield "LitServe skipped: set STRIATE_LITSERVE to the python of an environment with litserve"


def alone(model: Path, files: list[bytes]) -> tuple[float, float, float]:
    """Images a second of a plain loop: a batch decoded by Pillow, normalised, answered; p50 and p99 of a batch."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    affine, milliseconds = np.load(model.with_suffix(".npz")), []
    for start in range(0, len(files), AT_ONCE):
        begun = time.perf_counter()
        values = pictures(files[start : start + AT_ONCE]) * affine["scale"] + affine["offset"]
        softmax(
            session.run(["logits"], {"pictures": np.ascontiguousarray(values.transpose(0, 3, 1, 2))})[0],
            axis=1,
        )
        milliseconds.append((time.perf_counter() - begun) * 1000)
    p50, p99 = np.percentile(milliseconds, [50, 99])
    return 1000 * len(files) / sum(milliseconds), float(p50), float(p99)


def load(
    port: int,
    path: str,
    headers: dict[str, str],
    bodies: list[bytes],
    connections: int,
    requests: int,
    each: int,
) -> tuple[float, float, float]:
    """Images a second of a load, p50 and p99 of its requests in milliseconds."""
    found = generate(
        port=port, path=path, headers=headers, bodies=bodies, connections=connections, requests=requests
    )
    p50, p99 = np.percentile(found["milliseconds"], [50, 99])
    return requests * each / found["seconds"], float(p50), float(p99)


def generate(*, bodies: list[bytes], **asked: Any) -> dict[str, Any]:
    """What the load generator found."""
    asked["bodies"] = [base64.b64encode(body).decode() for body in bodies]
    command = [sys.executable, "-m", "bench.serving_rate"]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def form(files: list[bytes]) -> bytes:
    """Files as multipart/form-data."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="one.jpg"\r\n\r\n'.encode()
    return b"".join(head + one + b"\r\n" for one in files) + f"--{BOUNDARY}--\r\n".encode()


def tensor(files: list[bytes]) -> tuple[bytes, dict[str, str]]:
    """Decoded pictures as a request of the Open Inference Protocol with binary data, and its headers."""
    pixels = pictures(files)
    one = {"name": "pixels", "datatype": "UINT8", "shape": list(pixels.shape)}
    one["parameters"] = {"binary_data_size": pixels.nbytes}
    output = {"name": "probabilities", "parameters": {"binary_data": True}}
    head = json.dumps({"inputs": [one], "outputs": [output]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"}
    return head + pixels.tobytes(), headers


def concurrent(files: list[bytes], port: int) -> Iterator[str]:
    """10,000 requests on 64 connections, each answer held against that of the same file asked for alone."""
    asked = {
        "port": port,
        "path": "/predict",
        "headers": {"Content-Type": "image/jpeg"},
        "bodies": files,
        "keep": True,
    }
    single = generate(**asked, connections=1, requests=FILES)["answers"]
    many = generate(**asked, connections=64, requests=CONCURRENT)["answers"]
    rows = [
        np.array([list(one["answers"][0]["probabilities"].values()) for one in every])
        for every in (single, many)
    ]
    apart = np.abs(rows[1] - rows[0][np.arange(CONCURRENT) % FILES]).max()
    same = sum(
        one["answers"][0]["class"] == single[number % FILES]["answers"][0]["class"]
        for number, one in enumerate(many)
    )
    yield (
        f"{CONCURRENT:,} answers on 64 connections: at most {apart:.1g} from those asked for alone,"
        f" {same:,} of the same class"
    )
