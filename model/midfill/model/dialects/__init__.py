"""The FIM dialects: what one is (`prompt`), the families (`table`), who takes which (`choice`)."""

from midfill.model.dialects.choice import (
    AUTO,
    SETTINGS,
    Decision,
    by_name,
    detect_dialect,
    plain_names,
    wanted_dialect,
)
from midfill.model.dialects.prompt import FimDialect, Heals, Hole, Order, overhead_tokens, render
from midfill.model.dialects.table import (
    CODELLAMA_PSM,
    CODELLAMA_SPM,
    DIALECTS,
    QWEN,
    QWEN_SPM,
    TEXT_MARKERS,
)

__all__ = [
    "AUTO",
    "CODELLAMA_PSM",
    "CODELLAMA_SPM",
    "DIALECTS",
    "QWEN",
    "QWEN_SPM",
    "SETTINGS",
    "TEXT_MARKERS",
    "Decision",
    "FimDialect",
    "Heals",
    "Hole",
    "Order",
    "by_name",
    "detect_dialect",
    "overhead_tokens",
    "plain_names",
    "render",
    "wanted_dialect",
]
