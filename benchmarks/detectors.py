"""Cost of each detector at its default size: parameters, multiplications, and pictures a second forwards.

    python benchmarks/detectors.py [ARCHITECTURE ...] [--batch 8] [--repeats 5]

Without arguments every registered detector, and the backbones that recipes name, is measured. A Markdown table is
printed. Parameters are Keras' count (moving statistics are some). The rate is that of torch in eval mode on one core,
by the processor's time and the best of the repeats, so that what else the machine does matters little; weights are
random, which costs the same.
"""

from __future__ import annotations

import argparse
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from mesoscope_train.detectors import Detector, detectors, parse_architecture

BACKBONES = ("efficientnet_b0", "efficientnet_b4", "convnext_tiny", "vit_tiny_patch16_224", "deit_small_patch16_224")
DEFAULTS = [
    *(name for name in detectors if name != "timm"),
    "resnet50:head=dense,head_units=128",
    *(f"timm:backbone={name}" for name in BACKBONES),
]


def parameters(module: Detector) -> int:
    """As Keras counts them."""
    statistics = sum(value.numel() for name, value in module.named_buffers() if "running" in name)
    return statistics + sum(value.numel() for value in module.parameters())


def gigamacs(module: Detector, size: int) -> float:
    """Multiplications of one picture, in thousand millions."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.zeros(1, 3, size, size))
    return counter.get_total_flops() / 2e9


def pictures_a_second(module: Detector, size: int, batch: int, repeats: int) -> float:
    """The best of the repeats."""
    inputs = torch.rand(batch, 3, size, size)
    seconds = []
    with torch.no_grad():
        module(inputs)
        for _ in range(repeats):
            started = time.process_time()
            module(inputs)
            seconds.append(time.process_time() - started)
    return batch / min(seconds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architectures", nargs="*", default=DEFAULTS)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| architecture | input | parameters | GMAC | pictures/s/core |\n|---|---|---|---|---|")
    for text in arguments.architectures:
        architecture = parse_architecture(text)
        size = architecture.preprocess.size
        module = architecture.build().eval()
        rate = pictures_a_second(module, size, arguments.batch, arguments.repeats)
        cost = gigamacs(module, size)
        print(f"| `{text}` | {size} | {parameters(module):,} | {cost:.2f} | {rate:.3g} |", flush=True)


if __name__ == "__main__":
    main()
