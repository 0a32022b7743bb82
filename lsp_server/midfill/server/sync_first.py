"""Handlers that must see the document as it was when their request arrived."""

import asyncio
import inspect
import sys
from collections.abc import Callable, Coroutine
from typing import Any

Handler = Callable[[Any], Coroutine[Any, Any, Any]]


def sync_first(handler: Handler) -> Handler:
    """Let pygls run `handler`'s own body at once and only await the coroutine that it returns.

    pygls starts an `async def` one loop turn later, and over TCP a change that arrives in the same packet
    is applied in between: the handler would then see the wrong version (aesthetics.md §3.3). So handlers
    are plain functions that take their snapshot and return a coroutine, marked as coroutine functions.
    """
    if sys.version_info >= (3, 12):
        inspect.markcoroutinefunction(handler)
    else:
        handler._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]
    return handler
