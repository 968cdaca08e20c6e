"""A training step on the processor: planes interleaved or not, freed memory kept or given back.

    python benchmarks/training_step.py [meso4 mesoinception4 slim-resnet] [--threads 2] [--steps 8]

Forward, backward and Adam on batches of 32 random pictures, float32. Every way is a process of its own, because what
glibc keeps cannot be given back; images a second after two steps that do not count.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from mesoscope_train.detectors import parse_architecture
from mesoscope_train.memory import keep_freed_memory

BATCH, WARM_UP = 32, 2
NETWORKS = ("meso4", "mesoinception4", "slim-resnet")


def images_a_second(network: str, threads: int, steps: int, *, interleaved: bool, kept: bool) -> float:
    """In this process, which is good for one way only."""
    if kept and not keep_freed_memory():
        raise SystemExit("freed memory can be kept on glibc only")
    torch.set_num_threads(threads)
    layout = torch.channels_last if interleaved else torch.contiguous_format
    architecture = parse_architecture(network)
    size = architecture.preprocess.size
    module = architecture.build().train().to(memory_format=layout)
    inputs = torch.randn(BATCH, 3, size, size).contiguous(memory_format=layout)
    labels = (torch.arange(BATCH) % 2).float()
    optimiser = torch.optim.Adam(module.parameters())
    started = time.perf_counter()
    for step in range(WARM_UP + steps):
        if step == WARM_UP:
            started = time.perf_counter()
        optimiser.zero_grad()
        binary_cross_entropy_with_logits(module(inputs), labels).backward()
        optimiser.step()
    return BATCH * steps / (time.perf_counter() - started)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--way", choices=("0", "1", "2", "3"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way is not None:
        way = int(options.way)
        print(
            images_a_second(
                options.networks[0], options.threads, options.steps, interleaved=bool(way & 1), kept=bool(way & 2)
            )
        )
        return
    print("| network | planes apart | interleaved | planes apart, memory kept | interleaved, memory kept |")
    print("|---|---|---|---|---|")
    for network in options.networks:
        rates = []
        for way in "0123":
            words = [network, "--threads", str(options.threads), "--steps", str(options.steps), "--way", way]
            command = [sys.executable, __file__, *words]
            rates.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
        print(f"| {network} | {' | '.join(f'{rate:.0f}' for rate in rates)} |", flush=True)


if __name__ == "__main__":
    main()
