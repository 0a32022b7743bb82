"""The models on this machine: find, use, remove. Never reaches a network (`pull.py` does).

Under the root: `models/NAME/` (whole models, each with its manifest), `partial/` (whatever is not whole
yet), `locks/`, `converted/` (made from GGUF files), `digests/` (of GGUF files elsewhere), `in-use.json`.
A model appears by the rename of a finished folder, so what is under `models/` is whole.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from midfill.model.errors import DamagedModel, ModelError, NoModel, UnknownModel
from midfill.model.store import catalogue, choice, manifest
from midfill.model.store.catalogue import DEFAULT_MODEL
from midfill.model.store.digests import remembered_digest
from midfill.model.store.files import write_json
from midfill.model.store.hub_id import installed_name, parse_id
from midfill.model.store.licences import write_beside
from midfill.model.store.local import LocalModel, WeightFormat, cache_root, expanded
from midfill.model.store.locking import locked
from midfill.model.store.made import made_from
from midfill.model.store.manifest import MANIFEST, Manifest
from midfill.model.store.scratch import discard, new_scratch
from midfill.model.store.weights import inspect_weights

PULL = "midfill model pull"

Models = list[LocalModel]  # inside the class `list` is a method


class Store:
    """Models under one root folder. Cheap to make; holds no state but the root, so any thread may."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or cache_root()

    # Asking

    def names(self) -> Sequence[str]:
        """Every installed model, also damaged ones."""
        folder = self.root / "models"
        return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []

    def list(self) -> Models:
        """The installed models whose files are all there."""
        models = []
        for name in self.names():
            try:
                models.append(self.installed(name))
            except DamagedModel:
                continue  # `find(name)` says what is wrong with it
        return [model for model in models if model]

    def manifest(self, name: str) -> Manifest:
        """What was written down when `name` was installed. Raises UnknownModel, DamagedModel."""
        if not manifest.is_safe_name(name):
            raise UnknownModel(self._unknown(name))
        try:
            return manifest.read(self.folder(name))
        except FileNotFoundError:
            if self.folder(name).is_dir():
                raise DamagedModel(f"{name} has lost its manifest: {_renew(name)}.") from None
            raise UnknownModel(self._unknown(name)) from None

    def installed(self, name: str) -> LocalModel | None:
        """The installed model called `name`; None when there is none. Raises DamagedModel."""
        if not manifest.is_safe_name(name) or not self.folder(name).is_dir():
            return None
        found = self.manifest(name)
        folder = self.folder(name)
        for record in found.files:
            path = folder / record.path
            if not path.is_file() or path.stat().st_size != record.size:
                raise DamagedModel(f"{name} is damaged: {record.path} is not as it was: {_renew(name)}.")
        weights = found.weights
        path, digest = (folder / weights.path, weights.sha256) if weights else (folder, "")
        return LocalModel(name, path, found.format, digest)

    def installed_from(self, origin: str) -> LocalModel | None:
        """The installed model that came from this hub repository (`owner/name`) or URL."""
        for model in self.list():
            found = self.manifest(model.name)
            if origin == found.source or origin.lower() == found.repo.lower():
                return model
        return None

    def find(self, spec: str = "") -> LocalModel:
        """The model that `spec` means: empty (the one in use, else the default), a name, a hub id with or
        without its commit (`owner/name@1a2b3c4`), or a path.

        Installed names go before paths, so a folder in a workspace cannot take a name's place.
        Raises NoModel, UnknownModel, UnsafeWeights, DamagedModel, UnsupportedModel.
        """
        spec = spec.strip()
        if not spec:
            return self._find_in_use()
        if model := self.installed(spec.lower()) or self.installed_from(spec):
            return model
        if entry := catalogue.by_name(spec) or catalogue.by_repo(spec):
            raise NoModel(f"{entry.name} is not installed: get it with `{PULL} {entry.name}`.")
        path = expanded(Path(spec))
        if parse_id(spec) and not path.exists():
            name = installed_name(spec, (self.manifest(model.name) for model in self.list()))
            return self.find(name)
        if (
            path.is_absolute()
            or "/" in spec
            or "\\" in spec
            or path.suffix.lower() == ".gguf"
            or path.exists()
        ):
            return self._inspect(path.absolute())
        raise UnknownModel(self._unknown(spec))

    def in_use(self) -> str:
        """What `use` was last told (a name or an absolute path); empty for never."""
        return choice.chosen(self.root)

    # Changing

    def use(self, spec: str) -> LocalModel:
        """Make `spec` what `find("")` finds from now on. Raises as `find` does."""
        model = self.find(spec)
        chosen = model.name if self.root / "models" in model.path.parents else str(model.path)
        choice.choose(self.root, chosen)
        return model

    def remove(self, name: str) -> None:
        """Delete an installed model, what was made from it and what a broken-off pull left of it.

        Raises UnknownModel, and ModelError when a running program holds its files (Windows).
        """
        name = name.strip().lower()
        leftovers = self._partials(name) if manifest.is_safe_name(name) else []
        if name not in self.names() and not leftovers:
            raise UnknownModel(self._unknown(name))
        with self.lock(name, wait=False):
            made, digest = self._made_from(name)
            if name in self.names():
                discard(self.folder(name), self.root / "partial")
            for folder in self._partials(name):
                shutil.rmtree(folder)
            if not digest or all(model.sha256 != digest for model in self.list()):
                for folder in made:
                    shutil.rmtree(folder)
        if self.in_use() == name:
            choice.choose(self.root, "")

    def adopt(self, folder: Path, found: Manifest) -> LocalModel:
        """Make the finished `folder` (below `partial/`) the model of `found`; its lock must be held.

        Raises DamagedModel or UnsafeWeights, and deletes the folder, when its weights cannot be loaded.
        """
        try:
            inspect_weights(folder)
        except ModelError:
            shutil.rmtree(folder)
            raise
        write_beside(folder, found)
        write_json(folder / MANIFEST, found.as_json())
        target = self.folder(found.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            discard(target, self.root / "partial")  # a damaged one: whole ones are never adopted over
        os.replace(folder, target)
        for leftover in self._partials(found.name):
            shutil.rmtree(leftover)  # of tries at other commits
        model = self.installed(found.name)
        assert model is not None, "just renamed into place, under the lock"
        return model

    # Places

    def folder(self, name: str) -> Path:
        """Where the whole model `name` lies (or will lie)."""
        return self.root / "models" / name

    def partial(self, name: str, key: str) -> Path:
        """The folder in which `name` is put together; the same `key` finds what an earlier try left."""
        folder = self.root / "partial" / f"{name}@{hashlib.sha256(key.encode()).hexdigest()[:12]}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def scratch(self) -> Path:
        """A new empty folder on the store's own disk."""
        return new_scratch(self.root / "partial")

    def lock(
        self, name: str, on_wait: Callable[[], None] | None = None, wait: bool = True
    ) -> AbstractContextManager[None]:
        """One process at a time works on `name`. See `locking.locked`."""
        return locked(self.root / "locks" / f"{name}.lock", on_wait, wait)

    # Inside

    def _find_in_use(self) -> LocalModel:
        if chosen := self.in_use():
            return self.find(chosen)
        if model := self.installed(DEFAULT_MODEL):
            return model
        if others := self.names():
            raise NoModel(
                f"No model is in use: choose one of {', '.join(others)} with `midfill model use NAME`, "
                f"or get the default with `{PULL}`."
            )
        raise NoModel(f"No model is installed yet: get the default one with `{PULL}`.")

    def _inspect(self, path: Path) -> LocalModel:
        model = inspect_weights(path)
        if model.format is not WeightFormat.GGUF:
            return model
        return LocalModel(
            model.name, model.path, model.format, remembered_digest(model.path, self.root / "digests")
        )

    def _made_from(self, name: str) -> tuple[Sequence[Path], str]:
        """What was made from a model, and the digest of the GGUF file that others may share ("": none)."""
        try:
            found = self.manifest(name)
            made = made_from(self.folder(name), found, self.root)
        except (ModelError, OSError):
            return [], ""  # too damaged to say: what was made from it stays
        return made, found.weights.sha256 if found.weights else ""

    def _partials(self, name: str) -> Sequence[Path]:
        folder = self.root / "partial"
        return [path for path in folder.glob(f"{name}@*") if path.is_dir()] if folder.is_dir() else []

    def _unknown(self, name: str) -> str:
        near = catalogue.nearest(name, self.names())
        hint = (
            f" Did you mean {' or '.join(near)}?"
            if near
            else " `midfill model list` shows those that are known."
        )
        return f"There is no model called {name!r}.{hint}"


def _renew(name: str) -> str:
    return f"remove it with `midfill model remove {name}` and get it again"
