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
from midfill.model.dialects.prompt import FimDialect, Hole, Order, overhead_tokens, render
from midfill.model.dialects.table import (
    CODELLAMA_PSM,
    CODELLAMA_SPM,
    DIALECTS,
    QWEN,
    TEXT_MARKERS,
)

__all__ = [
    "AUTO",
    "CODELLAMA_PSM",
    "CODELLAMA_SPM",
    "DIALECTS",
    "QWEN",
    "SETTINGS",
    "TEXT_MARKERS",
    "Decision",
    "FimDialect",
    "Hole",
    "Order",
    "by_name",
    "detect_dialect",
    "overhead_tokens",
    "plain_names",
    "render",
    "wanted_dialect",
]
