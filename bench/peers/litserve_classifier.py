"""LitServe with the same network and the same decoding, batched as its own examples do: `python … MODEL PORT`."""

import io
import sys

import litserve
import numpy as np
import onnxruntime
from fastapi import Request
from PIL import Image


class Classifier(litserve.LitAPI):
    """Files in, probabilities out."""

    def setup(self, device: str) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.affine = np.load(sys.argv[1].removesuffix(".onnx") + ".npz")
        self.session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])

    def decode_request(self, request: Request) -> np.ndarray:  # a form is given as its fields
        return np.asarray(Image.open(io.BytesIO(request["file"].file.read())).convert("RGB"))

    def batch(self, inputs: list[np.ndarray]) -> np.ndarray:
        return np.stack(inputs)

    def predict(self, batch: np.ndarray) -> np.ndarray:
        values = batch * self.affine["scale"] + self.affine["offset"]
        feed = {"pictures": np.ascontiguousarray(values.transpose(0, 3, 1, 2))}
        logits = np.asarray(self.session.run(["logits"], feed)[0])
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def unbatch(self, output: np.ndarray) -> list[np.ndarray]:
        return list(output)

    def encode_response(self, output: np.ndarray) -> dict[str, list[float]]:
        return {"probabilities": output.tolist()}


if __name__ == "__main__":
    api = Classifier(max_batch_size=64, batch_timeout=0.002)
    litserve.LitServer(api, accelerator="cpu").run(
        host="127.0.0.1", port=int(sys.argv[2]), log_level="error", generate_client_file=False
    )
