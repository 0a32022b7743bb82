"""Servers for end-to-end tests: through pytest-lsp (which checks every reply against the specification)
and through our own raw session (which can also misbehave, and speak TCP)."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

from tests.e2e.profiles import initialize_params
from tests.session import TIMEOUT_S, Session

SCRIPTED = {"backend": "scripted", "debounceMs": 0, "scriptedStepMs": 0, "scriptedText": "a + b"}
COMMAND = [sys.executable, "-P", "-m", "midfill.server", "serve", "--stdio"]


@pytest_lsp.fixture(
    config=ClientServerConfig(server_command=COMMAND),
    params=["vscode", "neovim", "helix", "utf-32"],
)
async def editor(lsp_client: LanguageClient, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """A client with an editor's profile; the model is ready."""
    ready = asyncio.Event()

    @lsp_client.feature("midfill/status")
    def on_status(params: Any) -> None:
        if params.state == "ready":
            ready.set()

    result = await lsp_client.initialize_session(initialize_params(request.param, SCRIPTED))
    await asyncio.wait_for(ready.wait(), TIMEOUT_S)
    lsp_client.profile, lsp_client.found = request.param, result.capabilities
    yield
    await lsp_client.shutdown_session()


@pytest.fixture
def session() -> Iterator[Session]:
    """A server on stdio, not initialised."""
    session = Session.start()
    yield session
    session.kill()


@pytest.fixture(params=["stdio", "tcp"])
def ready(request: pytest.FixtureRequest) -> Iterator[Session]:
    """An initialised server with the scripted model ready, over both transports."""
    session = Session.start() if request.param == "stdio" else Session.start_tcp()
    session.initialize(SCRIPTED)
    assert session.wait_ready(TIMEOUT_S)["state"] == "ready"
    yield session
    session.kill()


def document(text: str, uri: str = "file:///w/a.py") -> types.DidOpenTextDocumentParams:
    item = types.TextDocumentItem(uri=uri, language_id="python", version=1, text=text)
    return types.DidOpenTextDocumentParams(text_document=item)
