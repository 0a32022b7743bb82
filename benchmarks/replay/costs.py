"""What the scripted model's passes cost: constants, with their origin."""

PREFILL_MS = 2.5
"""A token. 400 tokens a second: `make bench-worker`, row `lean auto`, one thread of two AVX-512 cores."""
DECODE_MS = 23.3
"""A token: the same row."""
BLOCK_TOKENS = 128
"""Prefilled in one pass; a cancel is seen between passes (`decode.CPU_BLOCK_TOKENS`)."""
