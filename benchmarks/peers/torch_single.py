"""One picture, judged by Meso-4 with torch the way a careful script would: face, crop, score, Grad-CAM.

    python benchmarks/peers/torch_single.py BUNDLE photo.jpg

BUNDLE is the imported MesoNet bundle, of which only the weights are used.
"""

import sys
from pathlib import Path

import dlib
import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from mesoscope_train.detectors.base import autograd_map
from mesoscope_train.detectors.meso4 import MAP_LAYER, Meso4


def main(bundle: str, path: str) -> None:
    """Print the probability of fake and the map's range."""
    pixels = np.asarray(Image.open(path).convert("RGB"))
    face = dlib.get_frontal_face_detector()(pixels, 0)[0]
    crop = Image.fromarray(pixels).crop((face.left(), face.top(), face.right(), face.bottom()))
    values = np.asarray(crop.resize((256, 256), Image.Resampling.NEAREST), np.float32) / 255
    batch = torch.from_numpy(values.transpose(2, 0, 1)[None].copy())
    model = Meso4()
    model.load_state_dict(load_file(Path(bundle) / "weights.safetensors"))
    model.eval()
    cam = autograd_map(model, MAP_LAYER, batch)
    with torch.no_grad():
        probability = torch.sigmoid(model(batch))[0]
    print(f"torch  p(fake) {probability:.4f}  map {cam.min():.4f} {cam.max():.4f}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
