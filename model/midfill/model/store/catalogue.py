"""The models Midfill knows by name: one table of values. Knows nothing of disks or networks."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

DEFAULT_MODEL = "qwen2.5-coder-0.5b-instruct"
"""Fills and chats, Apache-2.0, one file that a laptop without a GPU can run (DESIGN §6)."""

BYTES_PER_FP16_WEIGHT = 2

APACHE = "Apache-2.0"
QWEN_RESEARCH = "Qwen Research License"
LLAMA_2 = "Llama 2 Community License"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One model as its publisher offers it."""

    name: str
    repo: str
    """`owner/name` on the hub; empty for a bare URL."""
    file: str
    """The one GGUF file of `repo`; empty: the whole safetensors repository."""
    revision: str
    """What to ask the hub for. A pull resolves it to a commit first and records that commit."""
    size_bytes: int
    """Exact where `sha256` is known; else about `parameters` × 2 (fp16 safetensors)."""
    sha256: str
    """As the publisher gives it; empty when not known here (the hub's own digest is then checked)."""
    licence: str
    """SPDX identifier where there is one, else the licence's name."""
    open_source: bool
    """An OSI licence. Anything else is shown and asked for before a pull."""
    commercial_use: bool
    family: str
    parameters: int
    """Weights as they are run, rounded as on the publisher's page."""
    note: str = ""

    @property
    def origin(self) -> str:
        """Where it comes from, for humans."""
        return f"{self.repo}/{self.file}" if self.file else self.repo


def _qwen_gguf(size: str, size_bytes: int, sha256: str, parameters: int, note: str) -> CatalogueEntry:
    """An Instruct model that Qwen itself publishes as Q4_K_M. The digest is Qwen's (DESIGN §6)."""
    return CatalogueEntry(
        name=f"qwen2.5-coder-{size.lower()}-instruct",
        repo=f"Qwen/Qwen2.5-Coder-{size}-Instruct-GGUF",
        file=f"qwen2.5-coder-{size.lower()}-instruct-q4_k_m.gguf",
        revision="main",  # any commit will do: the digest pins the bytes
        size_bytes=size_bytes,
        sha256=sha256,
        licence=APACHE,
        open_source=True,
        commercial_use=True,
        family="qwen2.5-coder",
        parameters=parameters,
        note=note,
    )


def _qwen_base(size: str, parameters: int, licence: str = APACHE, note: str = "") -> CatalogueEntry:
    """A base model, as safetensors: the better filler of the two kinds (DESIGN §6)."""
    return CatalogueEntry(
        name=f"qwen2.5-coder-{size.lower()}",
        repo=f"Qwen/Qwen2.5-Coder-{size}",
        file="",
        revision="main",
        size_bytes=parameters * BYTES_PER_FP16_WEIGHT,
        sha256="",
        licence=licence,
        open_source=licence == APACHE,
        commercial_use=licence == APACHE,
        family="qwen2.5-coder",
        parameters=parameters,
        note=note,
    )


def _code_llama(size: str, variant: str, parameters: int) -> CatalogueEntry:
    """Code Llama (arXiv 2308.12950): only 7B, 13B and 70B, base and Instruct, were trained to infill."""
    fills = size != "34b" and variant != "Python"
    return CatalogueEntry(
        name=f"codellama-{size}" + (f"-{variant.lower()}" if variant else ""),
        repo=f"codellama/CodeLlama-{size}-{variant + '-' if variant else ''}hf",
        file="",
        revision="main",
        size_bytes=parameters * BYTES_PER_FP16_WEIGHT,
        sha256="",
        licence=LLAMA_2,
        open_source=False,
        commercial_use=True,
        family="code-llama",
        parameters=parameters,
        note="Acceptable use policy; above 700 million monthly users Meta must be asked."
        + ("" if fills else " Not trained to fill in the middle."),
    )


CATALOGUE: tuple[CatalogueEntry, ...] = (
    _qwen_gguf(
        "0.5B",
        491_400_064,
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        630_000_000,  # the head is not tied to the embedding in this file
        "The default: fills and chats, runs on any laptop.",
    ),
    _qwen_gguf(
        "1.5B",
        1_117_320_768,
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        1_780_000_000,
        "The default's bigger sibling.",
    ),
    _qwen_base("0.5B", 490_000_000, note="Base model: fills better than Instruct, does not chat."),
    _qwen_base("1.5B", 1_540_000_000, note="Base model: fills better than Instruct, does not chat."),
    _qwen_base("3B", 3_090_000_000, QWEN_RESEARCH, "Research only: no commercial use."),
    _qwen_base("7B", 7_610_000_000, note="Base model for a GPU with 16 GB or more at 16 bits."),
    *(
        _code_llama(size, variant, parameters)
        for size, parameters in (
            ("7b", 6_740_000_000),
            ("13b", 13_000_000_000),
            ("34b", 33_700_000_000),
            ("70b", 69_000_000_000),
        )
        for variant in ("", "Python", "Instruct")
    ),
)

_BY_NAME = {entry.name: entry for entry in CATALOGUE}
_BY_REPO = {entry.repo.lower(): entry for entry in CATALOGUE}
_BY_DIGEST = {entry.sha256: entry for entry in CATALOGUE if entry.sha256}


def by_name(name: str) -> CatalogueEntry | None:
    """The entry called `name`, whatever its case."""
    return _BY_NAME.get(name.lower())


def by_repo(repo: str) -> CatalogueEntry | None:
    """The entry that the hub repository `owner/name` is, whatever its case."""
    return _BY_REPO.get(repo.lower())


def by_digest(sha256: str) -> CatalogueEntry | None:
    """The entry whose one file has this sha256."""
    return _BY_DIGEST.get(sha256.lower())


def nearest(name: str, installed: Iterable[str] = ()) -> list[str]:
    """At most three names like `name`, the likest first."""
    return difflib.get_close_matches(name.lower(), sorted({*_BY_NAME, *installed}), n=3, cutoff=0.5)
