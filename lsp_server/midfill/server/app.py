"""The composition root: builds every part of one session and holds its settings.

The one place where the parts meet; `protocol.py` calls into it, nobody imports it but the command line.
"""

import asyncio
import logging
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from midfill.model.store.catalogue import DEFAULT_MODEL
from midfill.server import logs
from midfill.server.actions.docstrings import Trials, WriteDocstring
from midfill.server.actions.explain import Explain
from midfill.server.actions.protocol import LspEditor
from midfill.server.actions.runner import Actions
from midfill.server.actions.unit_tests import Permission, WriteTests
from midfill.server.client import Client
from midfill.server.client_settings import Parsed, parse
from midfill.server.completion.ahead import PrefillAhead
from midfill.server.completion.explain import Line, explain
from midfill.server.completion.run import Answer, Run
from midfill.server.completion.service import CompletionService
from midfill.server.consent import ModelQuestion
from midfill.server.context.keeper import ContextKeeper, Session
from midfill.server.documents import DocumentStore
from midfill.server.loop import on_loop
from midfill.server.model_host import ModelHost
from midfill.server.progress import WorkDoneProgress
from midfill.server.settings import SECTION, Settings, needs_reload
from midfill.server.statistics.recorder import Recorder
from midfill.server.status import StatusBoard
from midfill.server.uris import to_path
from midfill.server.wire import Wire

log = logging.getLogger(__name__)

CONFIGURATION_TIMEOUT_S = 1.0
"""How long the model waits for a client's settings before it is loaded without them."""


class Server(LanguageServer):
    """pygls' server on our wire; errors go to the log, never as a pop-up (invariant 9)."""

    protocol: Wire

    def __init__(self) -> None:
        super().__init__("midfill", version("midfill"), protocol_cls=Wire)

    def report_server_error(self, error: Exception, source: Any) -> None:
        log.warning("%s: %s", getattr(source, "__name__", source), type(error).__name__)
        logging.getLogger("midfill.trace").log(logs.TRACE, "%s", error)


class App:
    """One session with one client. Event loop only."""

    def __init__(self) -> None:
        self.server = Server()
        self.client = Client()
        self.settings = Settings()
        self.documents = DocumentStore()
        self.status = StatusBoard(self.server.protocol.notify)
        self.model = ModelHost(
            self.status,
            self._open_view,
            on_missing=lambda why: self._spawn(self._question.ask(self.settings.model.strip(), why)),
            on_ready=self._model_ready,
            on_pull_failed=lambda reason: self._tell(f"Midfill: {reason}", types.MessageType.Error),
        )
        self._question = ModelQuestion(self.server, self.pull_model, self._tell)
        self.other_files = ContextKeeper(self._session)
        self.other_files.on_ready = lambda uri: self.ahead.other_files_changed(self.documents.snapshot(uri))
        self.completions = CompletionService(self.documents, self.model, lambda: self.settings)
        self.completions.asking.other_files = self.other_files
        self.completions.asking.folders = self._folder_paths
        self.completions.on_answer = self._answered
        editor = LspEditor(self.server, self.server.protocol, lambda: self.client)
        self.actions = Actions(self.documents, self.model, lambda: self.settings, editor)
        self.permission = Permission(editor)
        documenting = WriteDocstring(Trials(self.permission, self.folders))
        for action in (documenting, WriteTests(self.permission, self.folders), Explain()):
            self.actions.register(action)
        self.statistics = Recorder(self.documents, lambda: self.settings)
        self.ahead = PrefillAhead(self.completions, self.model)
        self.client_log = logs.ClientLog()
        self.exited: asyncio.Future[int] | None = None
        self._last: tuple[Run, Answer] | None = None
        """The last request that the client did not cancel."""
        self._initial: dict[str, Any] = {}
        self._told: set[str] = set()
        """Problems with settings that the user has read already: said once a session."""
        self._tasks: set[asyncio.Task[None]] = set()

    def initialize(self, client: Client, options: object) -> None:
        """Take what `initialize` says. Nothing is loaded before `initialized`."""
        self.client = client
        parsed = parse(options)
        self._initial = _section(options)
        self._take_settings(parsed)

    def start(self) -> None:
        """`initialized` came: ask for the settings, then load the model."""
        loop = asyncio.get_running_loop()
        self.client_log.connect(lambda params: on_loop(loop, self.server.window_log_message, params))
        if self.client.change_registration:
            self._spawn(self._ask_for_changes())
        self._spawn(self._configure_and_load())

    def configure(self, pushed: object) -> None:
        """`didChangeConfiguration`. A client that sends no values is asked for them."""
        if self.client.configuration and not _section(pushed):
            self._spawn(self._pull_settings())
        else:
            self._apply(pushed)

    def pull_model(self, name: str = "") -> bool:
        """Fetch a model and start it; False when a download is under way already."""
        wanted = name or self.settings.model or DEFAULT_MODEL
        return self.model.pull(wanted, replace(self.settings.model_config(), model=wanted))

    def restart_model(self) -> None:
        self.completions.forget()
        self.model.start(self.settings.model_config())

    def explain_last(self) -> list[Line]:
        """What became of the last request, stage by stage."""
        return explain(*self._last, self.completions.asking) if self._last else []

    def folders(self) -> list[Path]:
        """The folders that the client has open."""
        workspace = self.server.workspace
        uris = [folder.uri for folder in workspace.folders.values()] or [workspace.root_uri or ""]
        return [Path(path) for path in map(to_path, uris) if path]

    def exit(self, code: int) -> None:
        """End the session; the first call counts."""
        if self.exited is not None and not self.exited.done():
            self.exited.set_result(code)

    def _model_ready(self) -> None:
        self.other_files.forget()  # it may have room for more
        self.ahead.model_ready()

    def _session(self) -> Session:
        """What gathering other files' text needs to know."""
        folders, tokens = self._folder_paths(), self.model.context_tokens
        return Session(self.documents.all(), folders, self.settings, tokens)

    def _folder_paths(self) -> tuple[str, ...]:
        return tuple(map(str, self.folders()))

    def _answered(self, run: Run, answer: Answer) -> None:
        if answer is self.completions.last_answer:  # the client still wanted it
            self._last = run, answer
        self.statistics.answered(run, answer)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask_for_changes(self) -> None:
        """Some clients (VS Code) tell of changed settings only when they are asked to."""
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        wanted = types.Registration(id=method, method=method, register_options={"section": SECTION})
        try:
            await self.server.client_register_capability_async(types.RegistrationParams([wanted]))
        except Exception as error:  # a client that promised and refuses
            log.info("the client registers nothing: %s", type(error).__name__)

    async def _configure_and_load(self) -> None:
        if self.client.configuration:
            await self._pull_settings(load=False)
        self.model.start(self.settings.model_config())

    async def _pull_settings(self, load: bool = True) -> None:
        params = types.ConfigurationParams(items=[types.ConfigurationItem(section=SECTION)])
        try:
            async with asyncio.timeout(CONFIGURATION_TIMEOUT_S):
                found = await self.server.workspace_configuration_async(params)
        except TimeoutError:
            log.warning("the client did not answer workspace/configuration; going on without")
        except Exception as error:  # whatever the client replied instead of settings
            log.warning("workspace/configuration failed: %s", type(error).__name__)
        else:
            self._apply(found[0] if found else None, load)

    def _apply(self, values: object, load: bool = True) -> None:
        """New values lie over those of `initialize`; a null means that there are none."""
        before = self.settings
        inner = _section(values)
        parsed = parse({**self._initial, **inner})
        if not inner:  # nothing, or nonsense: then say so
            parsed = replace(parsed, problems=parsed.problems + parse(values).problems)
        self._take_settings(parsed)
        if load and needs_reload(before, self.settings):
            log.info("settings changed: the model is loaded again")
            self.restart_model()

    def _take_settings(self, parsed: Parsed) -> None:
        if parsed.unknown:
            log.info("unknown settings: %s", ", ".join(parsed.unknown))
        news = [problem for problem in parsed.problems if problem not in self._told]
        if news:
            self._told.update(news)
            self._tell("Midfill: " + "; ".join(news))
        if parsed.settings != self.settings:
            self.completions.forget()
        before, self.settings = self.settings, parsed.settings
        if before != self.settings:
            self.other_files.forget()
        logs.set_level(self.settings.log_level)

    def _tell(self, sentence: str, kind: types.MessageType = types.MessageType.Warning) -> None:
        params = types.ShowMessageParams(type=kind, message=sentence)
        self.server.window_show_message(params)

    def _open_view(self, title: str) -> WorkDoneProgress:
        return WorkDoneProgress(self.server.protocol, self.client.progress, title)


def _section(raw: object) -> dict[str, Any]:
    """The values that `raw` has for us, bare or wrapped; nothing for null and nonsense."""
    inner = raw.get(SECTION, raw) if isinstance(raw, dict) else None
    return inner if isinstance(inner, dict) else {}
