"""Keras' own MNIST example on ready arrays: "Simple MNIST convnet", https://keras.io/examples/vision/mnist_convnet/.

Network, Adam, batches of 128, 15 epochs and the tenth kept for validation are the example's; the code is not.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
from keras import layers
from stopwatch import Stopwatch


class Judge(keras.callbacks.Callback):
    """Takes the time, then judges the test images, after every epoch."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = watch.finished(self.accuracy)

    def accuracy(self):
        return (self.model.predict(test, batch_size=1_000, verbose=0).argmax(1) == test_labels).mean()


watch = Stopwatch(epochs=15)
images, labels, test, test_labels = watch.arrays()
images, test = images.astype("float32") / 255, test.astype("float32") / 255
network = keras.Sequential(
    [
        keras.Input(shape=(28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
)
network.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
network.fit(
    images,
    np.eye(10, dtype="float32")[labels],
    batch_size=128,
    epochs=watch.epochs,
    validation_split=0.1,
    callbacks=[Judge()],
    verbose=0,
)
