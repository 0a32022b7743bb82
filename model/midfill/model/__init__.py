"""The whole public surface of the model side. Importing it imports no engine and no torch."""

from midfill.model.api import (
    ChatMessage,
    ChatRequest,
    Chunk,
    Event,
    FimRequest,
    Finish,
    FinishReason,
    Lane,
    LoadProgress,
    ModelInfo,
    Request,
    Scope,
    Snippet,
    StopRules,
    Usage,
)
from midfill.model.backends import make_backend
from midfill.model.cancel import CancelReason, CancelToken
from midfill.model.config import ModelConfig
from midfill.model.errors import ModelError, NoModel
from midfill.model.lines import columns, is_opener, is_unfinished, triple_quotes
from midfill.model.worker import Worker

__all__ = [
    "CancelReason",
    "CancelToken",
    "ChatMessage",
    "ChatRequest",
    "Chunk",
    "Event",
    "FimRequest",
    "Finish",
    "FinishReason",
    "Lane",
    "LoadProgress",
    "ModelConfig",
    "ModelError",
    "ModelInfo",
    "NoModel",
    "Request",
    "Scope",
    "Snippet",
    "StopRules",
    "Usage",
    "Worker",
    "columns",
    "is_opener",
    "is_unfinished",
    "make_backend",
    "triple_quotes",
]
