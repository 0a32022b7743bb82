"""LSP frames: what clients send, also wrongly, and a client that does not read."""

import io
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.server import framing
from midfill.server.framing import BrokenFrame, FrameReader, FrameWriter, read_frames
from tests.unit.fakes import TIMEOUT_S

GOOD = b"Content-Length: 2\r\n\r\n{}"


class Trickle(io.RawIOBase):
    """A pipe that gives at most `size` bytes a read."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data = io.BytesIO(data)
        self._size = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        piece = self._data.read(min(self._size, len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


def frames(data: bytes) -> list[bytes | None]:
    """The bodies; None for each broken frame."""
    found = read_frames(io.BytesIO(data))
    return [None if isinstance(frame, BrokenFrame) else frame for frame in found]


@given(st.lists(st.binary(max_size=40), max_size=5), st.integers(1, 7))
def test_bodies_arrive_whole_and_in_order_however_the_bytes_are_split(bodies, size):
    data = b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies)
    assert list(read_frames(io.BufferedReader(Trickle(data, size), 8))) == bodies


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: 2\r\n",
        b"content-length: 2\r\n",
        b"CONTENT-LENGTH:2\r\n",
        b"Content-Length:\t 2 \r\n",
        b"Content-Length: 0002\r\n",
        b"Content-Length: 2\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n",
        b"Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n",
        b"\r\n\r\nContent-Length: 2\r\n",
    ],
)
def test_a_header_is_read_in_every_spelling_that_clients_use(header):
    assert frames(header + b"\r\n{}" + GOOD) == [b"{}", b"{}"]


@pytest.mark.parametrize(
    "length",
    [
        b"",
        b"-5",
        b"two",
        b"2.0",
        b"0x2",
        b"999999999999",
        b"9" * 5000,
        "\N{SUPERSCRIPT TWO}".encode("latin-1"),
    ],
)
def test_a_length_that_is_none_is_one_broken_frame_and_reading_goes_on(length):
    assert frames(b"Content-Length: " + length + b"\r\n\r\n" + GOOD) == [None, b"{}"]


@pytest.mark.parametrize(
    "header", [b"Content-Type: x\r\n", b"hello\r\n", b"X-Content-Length: 2\r\n", b"\xff:\r\n"]
)
def test_a_header_block_without_a_length_is_one_broken_frame_and_reading_goes_on(header):
    assert frames(header + b"\r\n" + GOOD) == [None, b"{}"]


def test_reading_finds_its_way_back_behind_the_body_of_a_broken_frame():
    assert frames(b'Content-Length: x\r\n\r\n{"id":1}' + GOOD + GOOD) == [None, b"{}", b"{}"]


def test_an_empty_body_is_a_body():
    assert frames(b"Content-Length: 0\r\n\r\n" + GOOD) == [b"", b"{}"]


@pytest.mark.parametrize(
    "data", [b"", b"Content-Le", b"Content-Length: 9\r\n", b"Content-Length: 9\r\n\r\n{}"]
)
def test_a_stream_that_ends_in_a_message_ends_quietly(data):
    assert frames(data) == []
    assert frames(GOOD + data) == [b"{}"]


def test_the_reader_hands_on_every_frame_and_then_the_end():
    seen: list[bytes | BrokenFrame | str] = []
    ended = threading.Event()

    def on_end() -> None:
        seen.append("end")
        ended.set()

    FrameReader(lambda: io.BytesIO(GOOD + GOOD), seen.append, on_end).start()
    assert ended.wait(TIMEOUT_S)
    assert seen == [b"{}", b"{}", "end"]


@pytest.mark.parametrize("error", [OSError("no such address"), ValueError("closed file")])
def test_a_stream_that_cannot_be_read_ends_the_session(error):
    ended = threading.Event()

    def open_stream() -> io.BytesIO:
        raise error

    FrameReader(open_stream, lambda frame: None, ended.set).start()
    assert ended.wait(TIMEOUT_S)


class Stuck(io.RawIOBase):
    """A client that does not read: writing blocks until `release`."""

    def __init__(self) -> None:
        self.entered, self.release = threading.Event(), threading.Event()

    def write(self, data) -> int:
        self.entered.set()
        assert self.release.wait(TIMEOUT_S)
        return len(data)


class Broken(io.RawIOBase):
    def write(self, data) -> int:
        raise BrokenPipeError


def test_the_writer_keeps_the_order_and_close_waits_for_what_is_queued():
    stream, broken = io.BytesIO(), threading.Event()
    writer = FrameWriter(broken.set)
    writer.write(b"0,")  # before the client is connected
    writer.start(stream)
    for number in range(1, 200):
        writer.write(b"%d," % number)
    writer.close()
    assert stream.getvalue() == b"".join(b"%d," % number for number in range(200))
    assert not broken.is_set()


def test_write_returns_at_once_and_close_gives_up_on_a_client_that_does_not_read(monkeypatch):
    monkeypatch.setattr(framing, "FLUSH_TIMEOUT_S", 0.01)
    stream, broken = Stuck(), threading.Event()
    writer = FrameWriter(broken.set)
    writer.start(stream)
    writer.write(b"a")
    assert stream.entered.wait(TIMEOUT_S)
    writer.write(b"b")
    writer.close()  # a hang here would be caught by TIMEOUT_S inside the stream
    assert not stream.release.is_set()
    stream.release.set()


def test_a_client_that_is_gone_is_reported():
    broken = threading.Event()
    writer = FrameWriter(broken.set)
    writer.start(Broken())
    writer.write(b"a")
    assert broken.wait(TIMEOUT_S)
    writer.close()


def test_a_writer_that_never_got_a_client_closes():
    FrameWriter(lambda: None).close()
