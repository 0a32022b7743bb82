"""The sizes of the catalogue's models before they are here: a table, from their publishers' config.json."""

from midfill.model.store.catalogue import CatalogueEntry
from midfill.model.store.estimate import Sizes, read_sizes

_COLUMNS = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "intermediate_size",
    "vocab_size",
)
_ROWS = {
    "qwen2.5-coder-0.5b": (896, 24, 14, 2, 4864, 151_936),
    "qwen2.5-coder-1.5b": (1536, 28, 12, 2, 8960, 151_936),
    "qwen2.5-coder-3b": (2048, 36, 16, 2, 11_008, 151_936),
    "qwen2.5-coder-7b": (3584, 28, 28, 4, 18_944, 152_064),
    "codellama-7b": (4096, 32, 32, 32, 11_008, 32_016),
    "codellama-13b": (5120, 40, 40, 40, 13_824, 32_016),
    "codellama-34b": (8192, 48, 64, 8, 22_016, 32_000),
    "codellama-70b": (8192, 80, 64, 8, 28_672, 32_016),
}
"""By the beginning of the catalogue's names: variants of one size have one shape."""
_TIED = ("qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b", "qwen2.5-coder-3b")
"""Head and embeddings are one table; not in Qwen's GGUF files, which hold both."""


def sizes_of(entry: CatalogueEntry) -> Sizes:
    """The sizes of `entry`; of one that the table does not have, the number of its weights alone."""
    key = next((key for key in _ROWS if entry.name.startswith(key)), None)
    if key is None:
        return Sizes(entry.parameters)
    config = {
        **dict(zip(_COLUMNS, _ROWS[key], strict=True)),
        "model_type": "qwen2" if key.startswith("qwen") else "llama",
        "tie_word_embeddings": key in _TIED and not entry.file,
    }
    return read_sizes(config)
