"""pass@k of k samples out of n, without bias (Chen et al. 2021, arXiv 2107.03374, eq. 1)."""

from math import comb


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """The chance that of `k` samples drawn from `samples` at least one is among the `passed`.

    Raises ValueError if there are fewer samples than k.
    """
    if k > samples:
        raise ValueError(f"pass@{k} of {samples} samples")
    return 1 - comb(samples - passed, k) / comb(samples, k)
