"""Memory: a folder of many pictures and a long video must not take more than a small one.

    python benchmarks/memory.py photo.jpg clip.mp4 [--pictures 20000] [--minutes 10]

Copies of the picture (each with other bytes) fill a folder; the clip is repeated to the length asked for. Each is
judged by `mesoscope detect --jsonl` in a process of its own; the peak of its resident memory is printed beside the
peak for a hundredth of it, with the time taken.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av

PIECE = 100


def judge(paths: list[str]) -> tuple[float, float, int]:
    """Run detect; peak resident memory in MiB, seconds, and answers."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "mesoscope", "detect", *paths, "--jsonl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None  # noqa: S101
        answers = sum(1 for _ in process.stdout)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return usage.ru_maxrss / 1024, time.perf_counter() - started, answers


def fill(folder: Path, photo: Path, count: int) -> None:
    """Copies that differ in bytes appended after the picture's end."""
    raw = photo.read_bytes()
    for number in range(count):
        part = folder / f"{number // 1000:03d}"
        part.mkdir(parents=True, exist_ok=True)
        (part / f"{number:06d}.jpg").write_bytes(raw + str(number).encode())


def repeat(clip: Path, target: Path, minutes: float) -> None:
    """The clip's packets, over and over, until `minutes` are full; nothing is encoded again."""
    with av.open(str(clip)) as source:
        stream = source.streams.video[0]
        packets = [(bytes(p), p.pts, p.dts, p.duration, p.is_keyframe) for p in source.demux(stream) if p.size]
        length = sum(duration for *_, duration, _ in packets)
        with av.open(str(target), "w") as out:
            copy = out.add_stream_from_template(stream)
            for turn in range(int(minutes * 60 / float(length * stream.time_base)) + 1):
                for data, pts, dts, duration, key in packets:
                    packet = av.Packet(data)
                    packet.stream, packet.time_base = copy, stream.time_base
                    packet.pts, packet.dts, packet.duration = pts + turn * length, dts + turn * length, duration
                    packet.is_keyframe = key
                    out.mux(packet)


def main() -> None:
    """Measure both, small and large."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    print("| input | peak memory, MiB | seconds | answers |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as workshop:
        for minutes in (options.minutes / PIECE, options.minutes):
            video = Path(workshop) / f"{minutes:g}.mp4"
            repeat(options.clip, video, minutes)
            print(
                "| video of {:g} minutes | {:.0f} | {:.1f} | {} |".format(minutes, *judge([str(video)])), flush=True
            )
        for count in (options.pictures // PIECE, options.pictures):
            folder = Path(workshop) / str(count)
            fill(folder, options.photo, count)
            print("| {} pictures | {:.0f} | {:.1f} | {} |".format(count, *judge([str(folder)])), flush=True)


if __name__ == "__main__":
    main()
