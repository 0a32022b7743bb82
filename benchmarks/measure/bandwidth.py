"""How fast this machine reads memory, as a child of `engines.Child`: the floor under a decode step."""

import argparse
from time import perf_counter

from benchmarks.measure.engines import child_main

WORDS = 2**27
"""512 MiB of float32: outside every cache we know."""
PASSES = 4


def main() -> None:
    import torch

    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    torch.set_num_threads(parser.parse_args().threads)
    words = torch.ones(WORDS)

    def read() -> float:
        """Bytes a second, the best of the passes: a sum does nothing but read."""
        best = float("inf")
        for _ in range(PASSES):
            began = perf_counter()
            words.sum()
            best = min(best, perf_counter() - began)
        return words.nbytes / best

    child_main({"read": read})


if __name__ == "__main__":
    main()
