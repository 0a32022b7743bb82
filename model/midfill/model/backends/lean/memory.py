"""Gives memory back to the system: weights that lie mapped from a file, and what the allocator hoards.

Linux alone; elsewhere nothing is given back. Knows no model.
"""

import ctypes
import mmap
import sys
from collections.abc import Iterable
from pathlib import Path

import torch

MAPS = Path("/proc/self/maps")
SUFFIX = ".safetensors"
DONTNEED = 4
"""MADV_DONTNEED (madvise(2)): pages of a file go, and come back from the file at the next touch."""


class MappedWeights:
    """Those of some weights that lie in a mapped safetensors file.

    Others, and there are always some where weights were converted in memory, are never touched: letting go
    of them would make them zeros. What was changed in place is lost: whoever changes a weight puts a new
    tensor in its place.
    """

    def __init__(self, weights: Iterable[torch.Tensor]) -> None:
        files = _file_mappings()
        self.spans = [
            span
            for weight in weights
            if any(
                begin <= weight.data_ptr() and weight.data_ptr() + weight.nbytes <= end
                for begin, end in files
            )
            and (span := _aligned(weight.data_ptr(), weight.nbytes))[1] > 0
        ]
        """(address, bytes) of whole pages."""

    def release(self) -> None:
        """Let their pages go. They stay in the system's file cache while there is room for them."""
        for address, size in self.spans:
            _libc().madvise(ctypes.c_void_p(address), ctypes.c_size_t(size), DONTNEED)


def trim_heap() -> None:
    """Hand back what was freed and kept for later: parsing a tokenizer leaves 55 MB (measured, glibc)."""
    trim = getattr(_libc(), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:  # musl has none
        trim(0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _file_mappings() -> list[tuple[int, int]]:
    """(begin, end) of what the kernel has mapped from safetensors files, by its own word."""
    try:
        lines = MAPS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        addresses, *_, path = line.split(maxsplit=5)
        if path.startswith("/") and path.endswith(SUFFIX):
            begin, _, end = addresses.partition("-")
            found.append((int(begin, 16), int(end, 16)))
    return found


def _aligned(address: int, size: int) -> tuple[int, int]:
    page = mmap.PAGESIZE
    begin = -(-address // page) * page
    return begin, (address + size) // page * page - begin
