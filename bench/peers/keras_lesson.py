"""Keras on TensorFlow: one epoch of the `lesson` network from CIFAR-10 files, as Keras' own guide writes it.

Run by `python -m bench keras` in an environment of its own; prints images a second of the second epoch.
"""

import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
from keras import layers

BATCH = 128


class Clock(keras.callbacks.Callback):
    """Wall time of every epoch."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.began)


images = keras.utils.image_dataset_from_directory(
    sys.argv[1], image_size=(32, 32), batch_size=BATCH, label_mode="int", verbose=False
).prefetch(2)
network = keras.Sequential(
    [
        layers.Rescaling(1 / 255),
        layers.RandomFlip("horizontal"),
        layers.RandomTranslation(2 / 32, 2 / 32),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(512, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10),
    ]
)
network.compile("adamw", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
clock = Clock()
network.fit(images, epochs=2, callbacks=[clock], verbose=0)
count = int(images.cardinality()) * BATCH
print(count / clock.seconds[1])
