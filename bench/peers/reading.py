"""What a tool's own loader of image folders makes of 16 bits and of a broken file: `python reading.py TOOL FOLDER`.

Run by the tool's own interpreter. Prints one JSON object: version, grey levels that reach the network of the 4,096 in
FOLDER/deep, the share of pixels at the highest of them, and what became of FOLDER/broken, where one of four JPEG
files is cut short.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path


def torchvision(folder):
    """ImageFolder with its own reader and ToTensor."""
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import ToTensor

    return [pixels.numpy() for pixels, _ in ImageFolder(folder, ToTensor())]


def fastai(folder):
    """ImageDataLoaders.from_folder, both of its parts."""
    from fastai.vision.all import ImageDataLoaders

    loaders = ImageDataLoaders.from_folder(folder, valid_pct=0.5, bs=1, num_workers=0)
    return [part[index][0] for part in (loaders.train_ds, loaders.valid_ds) for index in range(len(part))]


def keras(folder):
    """image_dataset_from_directory, in grey."""
    import keras

    found = keras.utils.image_dataset_from_directory(
        folder, color_mode="grayscale", image_size=(64, 64), verbose=0
    )
    return [image for images, _ in found for image in images.numpy()]


def ultralytics(folder):
    """The data set of `yolo classify train`."""
    from ultralytics.cfg import get_cfg
    from ultralytics.data.dataset import ClassificationDataset
    from ultralytics.utils import DEFAULT_CFG

    found = ClassificationDataset(str(folder), get_cfg(DEFAULT_CFG, {"imgsz": 64, "fraction": 1.0}))
    return [found[index]["img"].numpy() for index in range(len(found))]


TOOLS = {"torchvision": torchvision, "fastai": fastai, "keras": keras, "ultralytics": ultralytics}


def main(tool, folder):
    """Both questions."""
    import numpy as np

    images = [np.asarray(image) for image in TOOLS[tool](folder / "deep")]
    values = np.concatenate([image.reshape(-1) for image in images])
    levels, white = len(np.unique(values)), float(np.mean(values == values.max()))
    try:
        read = len(TOOLS[tool](folder / "broken"))
        became = f"{read} images read"
    except Exception as error:
        named = "the file named" if "cut-short" in str(error) else "the file not named"
        became = f"{type(error).__name__}, {named}"
    print(json.dumps({"version": version(tool), "levels": levels, "white": white, "broken": became}))


main(sys.argv[1], Path(sys.argv[2]))
