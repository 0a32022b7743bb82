"""Everything that can go wrong on the model side.

ModelError                  a sentence for a human, never source text
├── NoModel                 nothing is installed yet: pull or import one first
├── UnknownModel            the name or path given means nothing here
├── UnsafeWeights           pickle files, remote code: refused by design
├── DamagedModel            truncated, wrong digest, tokenizer and weights disagree
├── UnsupportedModel        we know what it is and cannot run it
├── BadConfig               a setting this machine or model cannot honour
├── DownloadError           network, disk full, refused licence: nothing half-done is left behind
├── OutOfMemory             this request is lost, the model stays; or a model did not fit while loading
│   └── TooBig              it was not tried: it cannot fit
├── NotNow                  the model is being loaded again, or has made room for the other one
└── GenerationError         a forward pass failed

Cancellation is not an error: see `cancel.py` and `FinishReason.CANCELLED`.
"""


class ModelError(Exception):
    """`str(error)` is shown to the user as it is."""


class NoModel(ModelError):  # noqa: N818 - a state, not a fault
    pass


class UnknownModel(ModelError):  # noqa: N818
    pass


class UnsafeWeights(ModelError):  # noqa: N818
    pass


class DamagedModel(ModelError):  # noqa: N818
    pass


class UnsupportedModel(ModelError):  # noqa: N818
    pass


class BadConfig(ModelError):  # noqa: N818
    pass


class DownloadError(ModelError):
    pass


class OutOfMemory(ModelError):  # noqa: N818
    pass


class TooBig(OutOfMemory):
    pass


class NotNow(ModelError):  # noqa: N818 - it passes
    pass


class GenerationError(ModelError):
    pass
