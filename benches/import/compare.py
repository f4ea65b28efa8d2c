#!/usr/bin/env python3
"""Compares two synthesis graphs of one network in ONNX Runtime, in turns: images, time and memory.

    python benches/import/compare.py target/bench/plain.onnx target/bench/stylegan2/synthesis.onnx

Needs numpy and onnxruntime. Each graph runs in a process of its own, which is told when its turn is.
"""

import argparse
import multiprocessing
import resource
import time
from multiprocessing.connection import Connection
from statistics import median

import numpy as np
import onnxruntime


def serve(path: str, threads: int, turns: Connection) -> None:
    """Opens a graph, and runs it whenever codes arrive.

    Sends the image, the seconds, the processor seconds, and the peak memory in MB.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    code = session.get_inputs()[0]
    turns.send(code.shape)
    while (codes := turns.recv()) is not None:
        started, used = time.perf_counter(), time.process_time()
        (image,) = session.run(["image"], {code.name: codes})
        seconds = time.perf_counter() - started
        processor = time.process_time() - used
        turns.send((image, seconds, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("graphs", nargs=2)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    ends: list[Connection] = []
    shape: list[int] = []
    for path in arguments.graphs:
        ours, theirs = context.Pipe()
        context.Process(target=serve, args=(path, arguments.threads, theirs), daemon=True).start()
        shape = ours.recv()
        ends.append(ours)
    random = np.random.RandomState(0)
    seconds: list[list[float]] = [[], []]
    processor: list[list[float]] = [[], []]
    memory = [0.0, 0.0]
    for turn in range(arguments.turns + 1):
        codes = random.randn(arguments.batch, *shape[1:]).astype(np.float32)
        images = []
        for index, end in enumerate(ends):
            end.send(codes)
            image, took, used, memory[index] = end.recv()
            images.append(image)
            if turn > 0:  # the first run allocates
                seconds[index].append(took)
                processor[index].append(used)
        apart = float(np.abs(images[0] - images[1]).max() / np.abs(images[0]).max())
        assert apart < 1e-4, f"the graphs are {apart} of the largest value apart"
    for path, took, used, peak in zip(arguments.graphs, seconds, processor, memory, strict=True):
        print(f"{path}: median {median(took):.3f} s, of the processors {median(used):.3f} s, peak memory {peak:.0f} MB")
    for what, (first, second) in (("time", seconds), ("processor time", processor)):
        ratios = [ours / plain for plain, ours in zip(first, second, strict=True)]
        print(f"{what}, second / first: median {median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")
    for end in ends:
        end.send(None)


if __name__ == "__main__":
    main()
