"""Logging: what the client's log gets, and when pygls may speak."""

import logging
from collections.abc import Iterator

import pytest
from lsprotocol import types

from midfill.server import logs
from midfill.server.logs import BUFFERED_RECORDS, LIBRARIES, TRACE, ClientLog


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Levels and handlers are the whole process's."""
    loggers = [logging.getLogger(name) for name in ("midfill", *LIBRARIES)]
    levels = [logger.level for logger in loggers]
    root = logging.getLogger()
    handlers = root.handlers[:]
    yield
    root.handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def client_log() -> Iterator[ClientLog]:
    handler = ClientLog()
    logger = logging.getLogger("midfill")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def told(sent: list[types.LogMessageParams]) -> list[tuple[types.MessageType, str]]:
    return [(params.type, params.message) for params in sent]


def test_records_are_kept_until_the_client_listens_and_then_come_in_order(client_log):
    logs.set_level("info")
    log = logging.getLogger("midfill.server.x")
    log.info("one")
    log.warning("two %d", 2)
    sent: list[types.LogMessageParams] = []
    client_log.connect(sent.append)
    log.error("three")
    assert told(sent) == [
        (types.MessageType.Info, "midfill.server.x: one"),
        (types.MessageType.Warning, "midfill.server.x: two 2"),
        (types.MessageType.Error, "midfill.server.x: three"),
    ]


def test_a_client_that_never_listens_costs_a_bounded_memory(client_log):
    logs.set_level("info")
    for number in range(BUFFERED_RECORDS + 50):
        logging.getLogger("midfill").info("%d", number)
    sent: list[types.LogMessageParams] = []
    client_log.connect(sent.append)
    assert len(sent) == BUFFERED_RECORDS
    assert sent[0].message == "midfill: 0"


@pytest.mark.parametrize(
    ("level", "heard"),
    [("error", 1), ("warning", 2), ("info", 3), ("debug", 4), ("trace", 5)],
)
def test_nothing_below_the_level_is_forwarded(client_log, level, heard):
    logs.set_level(level)
    sent: list[types.LogMessageParams] = []
    client_log.connect(sent.append)
    for number in (logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG, TRACE):
        logging.getLogger("midfill.server").log(number, "said")
    kinds = types.MessageType
    expected = [kinds.Error, kinds.Warning, kinds.Info, kinds.Log, kinds.Log]
    assert [params.type for params in sent] == expected[:heard]


def test_other_libraries_records_are_not_forwarded(client_log):
    logs.set_level("trace")
    sent: list[types.LogMessageParams] = []
    client_log.connect(sent.append)
    logging.getLogger("pygls").error("a whole message")
    assert sent == []


@pytest.mark.parametrize("level", ["error", "warning", "info", "debug"])
def test_invariant_7_pygls_which_logs_whole_messages_is_silent_below_trace(level):
    logs.set_level(level)
    for name in ("pygls.protocol.json_rpc", "pygls.server", "asyncio", "httpx2"):
        assert not logging.getLogger(name).isEnabledFor(logging.ERROR)
    logs.set_level("trace")
    assert logging.getLogger("pygls.protocol.json_rpc").isEnabledFor(logging.DEBUG)


def test_records_go_to_stderr_one_line_each_and_nothing_to_stdout(capsys):
    logs.configure("info")
    logging.getLogger("midfill.server").info("hello")
    logging.getLogger("midfill.server").debug("not this")
    seen = capsys.readouterr()
    assert seen.out == ""
    [line] = seen.err.splitlines()
    assert line.endswith(" I midfill.server: hello")
