"""Gets a model from wherever it is: the catalogue, the hub, a URL, a file. The only way to a network.

Runs only when the user asked for it (invariant 7). Two processes that pull one model take turns: the
second waits, says so, and finds it whole.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from midfill.model.api import LoadProgress
from midfill.model.backends.base import Report
from midfill.model.errors import DamagedModel, DownloadError, ModelError, NoModel, UnknownModel
from midfill.model.store import catalogue, hub
from midfill.model.store.catalogue import DEFAULT_MODEL, CatalogueEntry
from midfill.model.store.client import make_client
from midfill.model.store.download import Patience, RemoteFile, fetch
from midfill.model.store.files import require_room, sha256_of
from midfill.model.store.hub_id import parse_id
from midfill.model.store.local import LocalModel, expanded, format_of
from midfill.model.store.manifest import FileRecord, Manifest
from midfill.model.store.meter import Meter
from midfill.model.store.plan import Plan, plan_hub, plan_url
from midfill.model.store.store import PULL, Store
from midfill.model.store.transfer import import_model
from midfill.model.store.urls import is_url, query_digest, shown_url, split_url

AcceptLicence = Callable[[CatalogueEntry], bool]


def pull(
    store: Store,
    spec: str,
    *,
    report: Report,
    accept_licence: AcceptLicence,
    patience: Patience | None = None,
) -> LocalModel:
    """Install `spec` and return it; at once when it is installed already. Empty means the default model.

    `spec`: a catalogue name, `owner/name` or `owner/name/file.gguf` (each with `@revision`), an http(s) URL
    of a GGUF file, or a local path. `accept_licence` is asked about a licence that is not open source.
    `report` may raise to stop: what was fetched stays and is resumed. The first model becomes the one in
    use. Raises DownloadError, DamagedModel, UnsafeWeights, UnknownModel, UnsupportedModel.
    """
    spec = spec.strip() or DEFAULT_MODEL
    model = _already(store, spec) or _pull(store, spec, report, accept_licence, patience or Patience())
    try:
        store.find("")
    except NoModel:
        store.use(model.name)
    except ModelError:
        pass  # the one in use is in trouble: whoever asks for it is told, this pull went well
    return model


def _pull(store: Store, spec: str, report: Report, accept: AcceptLicence, patience: Patience) -> LocalModel:
    path = expanded(Path(spec))
    entry = catalogue.by_name(spec)
    if entry is None and not is_url(spec) and (path.is_absolute() or path.exists()):
        return import_model(store, path, report=report)
    plan = _plan(store, spec, patience)
    name = plan.entry.name
    if there := _whole(store, name):
        return _the_same(store, there, plan)
    if not plan.entry.open_source and not accept(plan.entry):
        raise DownloadError(
            f"Nothing was downloaded: the licence of {name} ({plan.entry.licence}) was not accepted. "
            f"`{PULL} {shown_url(spec) if is_url(spec) else spec}` in a terminal asks for it."
        )
    waiting = LoadProgress("download", f"Another Midfill window is downloading {name}: waiting for it")
    with store.lock(name, partial(report, waiting)):
        there = _whole(store, name)  # by another process, while this one waited
        return _the_same(store, there, plan) if there else _download(store, plan, report, patience)


def _plan(store: Store, spec: str, patience: Patience) -> Plan:
    hub.require_online(spec if not is_url(spec) else shown_url(spec))
    if is_url(spec):
        return plan_url(spec)
    if entry := catalogue.by_name(spec):
        return plan_hub(entry.repo, entry.file, entry.revision, patience)
    if named := parse_id(spec):
        return plan_hub(*named, patience)
    near = catalogue.nearest(spec, store.names())
    hint = (
        f"Did you mean {' or '.join(near)}?" if near else "`midfill model list` shows the names it knows."
    )
    raise UnknownModel(f"{spec!r} is no model's name, hub repository (owner/name), URL or file. {hint}")


def _already(store: Store, spec: str) -> LocalModel | None:
    """What `spec` names, when that is installed and whole: no network is needed to say so."""
    if is_url(spec):
        bare, digest = split_url(spec)
        known = catalogue.by_digest(digest)
        return _whole(store, known.name) if known else _already_from_url(store, bare, digest)
    if named := parse_id(spec):
        repo, file, revision = named
        return store.installed_from(repo) if not file and not revision else None
    entry = catalogue.by_name(spec)
    return _whole(store, entry.name if entry else spec.lower())


def _already_from_url(store: Store, url: str, digest: str) -> LocalModel | None:
    """What came from `url`, if it has this digest; where none is named, if its query meant that file."""
    source, query = shown_url(url), query_digest(url)
    for model in store.list():
        found = store.manifest(model.name)
        if found.source == source and (model.sha256 == digest if digest else found.query == query):
            return model
    return None


def _whole(store: Store, name: str) -> LocalModel | None:
    try:
        return store.installed(name)
    except DamagedModel:
        return None  # pulling it again is how it is mended


def _the_same(store: Store, there: LocalModel, plan: Plan) -> LocalModel:
    """`there`, when it is what `plan` would fetch. Raises ModelError when another model has its name."""
    found = store.manifest(there.name)
    if there.sha256 and plan.entry.sha256:
        same = there.sha256 == plan.entry.sha256
    else:
        same = (found.source, found.commit, found.query) == (plan.source, plan.commit, plan.query)
    if same:
        return there
    came = f"{found.source} at {found.commit[:12]}" if found.commit else found.source
    if found.source == plan.source and not found.commit:  # the URL alone would not say what differs
        came += f" with {'another digest' if plan.entry.sha256 else 'another query'}"
    raise ModelError(
        f"{there.name} is installed already, from {came}: remove it first, "
        f"with `midfill model remove {there.name}`."
    )


def _download(store: Store, plan: Plan, report: Report, patience: Patience) -> LocalModel:
    folder = store.partial(plan.entry.name, plan.key)
    meter = Meter(report, plan.entry.name, sum(remote.size for _, remote in plan.files))
    # All files together, so that a big model fails at its start and not at its last file.
    require_room(folder, max(0, meter.total - sum(path.stat().st_size for path in folder.iterdir())))
    records = []
    with make_client(patience) as client:
        for name, remote in plan.files:
            target = folder / name
            digest = _kept_digest(target, remote, meter) or fetch(client, remote, target, meter, patience)
            records.append(FileRecord(name, target.stat().st_size, digest))
            meter.before += target.stat().st_size
    return _adopt(store, folder, plan, tuple(records))


def _kept_digest(target: Path, remote: RemoteFile, meter: Meter) -> str:
    """The digest of a file that an earlier, broken-off pull finished; empty when it must be fetched."""
    if not target.is_file() or (remote.size and target.stat().st_size != remote.size):
        return ""
    digest = sha256_of(target, partial(meter.show, "verify"))
    return digest if not remote.sha256 or digest == remote.sha256 else ""


def _adopt(store: Store, folder: Path, plan: Plan, records: tuple[FileRecord, ...]) -> LocalModel:
    """Install the fetched files, under the catalogue's name where their digest is in the catalogue."""
    fetched = Manifest(
        name=plan.entry.name,
        format=format_of(record.path for record in records),
        files=records,
        licence=plan.entry.licence,
        source=plan.source,
        repo=plan.entry.repo,
        commit=plan.commit,
        query=plan.query,
    )
    known = catalogue.by_digest(fetched.weights.sha256) if fetched.weights else None
    claimed = catalogue.by_name(plan.entry.name)
    if known and known.name != plan.entry.name:
        with store.lock(known.name):
            renamed = replace(fetched, name=known.name, licence=known.licence, repo=known.repo)
            if there := _whole(store, known.name):
                shutil.rmtree(folder)  # the same bytes: nobody would look for them here
                return there
            return store.adopt(folder, renamed)
    if claimed and claimed.sha256 and claimed != known:
        shutil.rmtree(folder)
        raise DamagedModel(
            f"{plan.source} is not {claimed.name}, though it is called so: its digest differs."
        )
    return store.adopt(folder, fetched)
