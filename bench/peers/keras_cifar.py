"""Keras' own small CIFAR-10 example on ready arrays: "CNN", https://www.tensorflow.org/tutorials/images/cnn.

Network, Adam, the default batches of 32 and 10 epochs are the example's; the code is not. The example judges the
test images after every epoch as its validation: here that is done outside the clock.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
from keras import layers
from stopwatch import Stopwatch


class Judge(keras.callbacks.Callback):
    """Takes the time, then judges the test images, after every epoch."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = watch.finished(self.accuracy)

    def accuracy(self):
        return (self.model.predict(test, batch_size=1_000, verbose=0).argmax(1) == test_labels).mean()


watch = Stopwatch(epochs=10)
images, labels, test, test_labels = watch.arrays()
images, test = images.astype("float32") / 255, test.astype("float32") / 255
network = keras.Sequential(
    [
        keras.Input(shape=(32, 32, 3)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10),
    ]
)
network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
network.fit(images, labels, epochs=watch.epochs, callbacks=[Judge()], verbose=0)
