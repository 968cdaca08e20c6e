"""Keras' `fit` on Meso-4: images a second, from pictures on disk through tf.data. Reads [[file, fake], …] from stdin.

The network is that of Afchar et al. 2018, described anew; called by benchmarks/training_throughput.py.
"""

import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import tensorflow as tf
from keras import layers

SIZE = 256


def meso4() -> keras.Model:
    """The network; the output says fake."""
    inputs = keras.Input((SIZE, SIZE, 3))
    x = inputs
    for filters, kernel, pool in ((8, 3, 2), (8, 5, 2), (16, 5, 2), (16, 5, 4)):
        x = layers.Conv2D(filters, kernel, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(pool, padding="same")(layers.BatchNormalization()(x))
    x = layers.Dense(16)(layers.Dropout(0.5)(layers.Flatten()(x)))
    x = layers.Dropout(0.5)(layers.LeakyReLU(negative_slope=0.1)(x))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))


def read(file: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """One picture at 256 pixels, 0 to 1."""
    picture = tf.io.decode_image(tf.io.read_file(file), 3, expand_animations=False)
    return tf.image.resize(picture, (SIZE, SIZE), "nearest") / 255, label


class Clock(keras.callbacks.Callback):
    """Seconds of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Start."""
        self.begun = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Stop."""
        self.seconds.append(time.perf_counter() - self.begun)


def main() -> None:
    """Train and print."""
    epochs, batch = int(sys.argv[1]), int(sys.argv[2])
    files, fakes = zip(*json.load(sys.stdin), strict=True)
    data = tf.data.Dataset.from_tensor_slices((list(files), [float(fake) for fake in fakes]))
    data = data.shuffle(len(files)).map(read, tf.data.AUTOTUNE).batch(batch, drop_remainder=True).prefetch(4)
    model, clock = meso4(), Clock()
    model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")
    model.fit(data, epochs=epochs, verbose=0, callbacks=[clock])
    rates = sorted(len(files) // batch * batch / seconds for seconds in clock.seconds[1:])
    print(rates[len(rates) // 2])


if __name__ == "__main__":
    main()
