import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from midfill.model.api import LoadProgress
from midfill.model.store.local import LocalModel
from midfill.model.store.store import Store
from tests.store.making import gguf_bytes, sha256
from tests.store.serving import Fault, FileServer

COMMIT = "c" * 40

TINY = "/Tiny/Tiny-Instruct-GGUF/resolve/" + COMMIT + "/tiny-instruct-q4_k_m.gguf"

Get = Callable[..., LocalModel]


def test_a_second_thread_that_pulls_the_same_waits_and_finds_it_whole(
    tiny_hub: FileServer, get: Get
) -> None:
    gate, said = threading.Event(), threading.Event()
    tiny_hub.faults[TINY] = [Fault(hold=gate)]
    results: list[LocalModel] = []

    def watch(progress: LoadProgress) -> None:
        if "Another Midfill window is downloading tiny-instruct" in progress.message:
            said.set()
            gate.set()

    threads = [
        threading.Thread(target=lambda: results.append(get("tiny-instruct", watch))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert said.is_set()
    assert len(results) == 2
    assert results[0] == results[1]
    assert len(tiny_hub.asked(TINY)) == 1


def test_a_second_process_that_pulls_the_same_waits_and_finds_it_whole(
    server: FileServer, tmp_path: Path
) -> None:
    gate = threading.Event()
    server.files["/m.gguf"] = gguf_bytes()
    server.faults["/m.gguf"] = [Fault(hold=gate)]
    command = [sys.executable, "-m", "midfill.server", "model", "pull", f"{server.url}/m.gguf", "--yes"]
    first = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.arrived.wait(60)
    second = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert second.stderr is not None
    waiting = [
        line for line in iter(second.stderr.readline, "") if "Another Midfill window" in line or gate.set()
    ]
    gate.set()
    _, said = first.communicate(timeout=60)
    second.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 0), said
    assert waiting
    assert len(server.requests) == 1
    assert Store(tmp_path / "cache").find("m").path.read_bytes() == gguf_bytes()


def test_a_killed_pull_leaves_nothing_that_counts_and_is_resumed(
    server: FileServer, tmp_path: Path
) -> None:
    gate = threading.Event()
    server.files["/m.gguf"] = gguf_bytes()
    server.faults["/m.gguf"] = [Fault(hold=gate)]
    command = [sys.executable, "-m", "midfill.server", "model", "pull", f"{server.url}/m.gguf", "--yes"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert server.arrived.wait(60)
    process.kill()
    process.wait()
    gate.set()
    assert Store(tmp_path / "cache").names() == []
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert Store(tmp_path / "cache").find("m").sha256 == sha256(gguf_bytes())
