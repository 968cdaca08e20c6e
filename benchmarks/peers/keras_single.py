"""One picture, judged by Meso-4 with Keras the way a careful script would: face, crop, score, Grad-CAM.

    python benchmarks/peers/keras_single.py Meso4_DF.h5 photo.jpg

Needs tensorflow (or tensorflow-cpu), dlib-bin and pillow; nothing of mesoscope.
"""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import dlib
import h5py
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from PIL import Image


def meso4(weights: str) -> keras.Model:
    """The published network with the published weights, and its fourth convolution as a second output."""
    x = given = layers.Input((256, 256, 3))
    for number, (planes, side, pool) in enumerate(((8, 3, 2), (8, 5, 2), (16, 5, 2), (16, 5, 4)), start=1):
        x = layers.Conv2D(planes, side, padding="same", activation="relu", name=f"conv2d_{number}")(x)
        last = x
        x = layers.BatchNormalization(epsilon=1e-3, name=f"batch_normalization_{number}")(x)
        x = layers.MaxPooling2D(pool, padding="same")(x)
    x = layers.Dense(16, name="dense_1")(layers.Flatten()(x))
    x = layers.Dense(1, activation="sigmoid", name="dense_2")(layers.LeakyReLU(negative_slope=0.1)(x))
    model = keras.Model(given, [x, last])
    with h5py.File(weights) as file:
        stored = sorted((name for name in file if len(file[name])), key=str)
        for kind in ("conv2d", "batch_normalization", "dense"):
            theirs = sorted(name for name in stored if name.startswith(kind))
            mine = sorted(layer.name for layer in model.layers if layer.name.startswith(kind))
            for source, target in zip(theirs, mine, strict=True):
                group = file[source]
                names = [name.decode() for name in group.attrs["weight_names"]]
                model.get_layer(target).set_weights([np.array(group[name]) for name in names])
    return model


def main(weights: str, path: str) -> None:
    """Print the probability of fake and the map's range."""
    pixels = np.asarray(Image.open(path).convert("RGB"))
    face = dlib.get_frontal_face_detector()(pixels, 0)[0]
    crop = Image.fromarray(pixels).crop((face.left(), face.top(), face.right(), face.bottom()))
    values = np.asarray(crop.resize((256, 256), Image.Resampling.NEAREST), np.float32)[None] / 255
    model = meso4(weights)
    with tf.GradientTape() as tape:
        real, activations = model(values)
        logit = -tf.math.log(real / (1 - real))
    gradient = tape.gradient(logit, activations)
    cam = tf.reduce_sum(tf.reduce_mean(gradient, (1, 2), keepdims=True) * activations, -1)
    low, high = float(tf.reduce_min(cam)), float(tf.reduce_max(cam))
    print(f"keras  p(fake) {1 - float(real[0, 0]):.4f}  map {low:.4f} {high:.4f}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
