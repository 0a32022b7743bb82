"""A local model of any format to a folder with config.json and safetensors, made where it is missing."""

from pathlib import Path

from midfill.model.backends.base import Report
from midfill.model.errors import (
    DamagedModel,
    NoModel,
    UnknownModel,
    UnsafeWeights,
    UnsupportedModel,
)
from midfill.model.store.local import LocalModel, WeightFormat, converted_dir


def as_folder(local: LocalModel, report: Report) -> Path:
    """The folder with the weights of `local`, made where it is not there yet. Raises ModelError; what
    `report` raises passes."""
    if local.format is WeightFormat.SAFETENSORS:
        if not any(local.path.glob("*.safetensors")):
            if any(local.path.glob("*.bin")):
                raise UnsafeWeights(
                    f"{local.name} has only pickle weights, which can run code: get safetensors or GGUF"
                )
            raise DamagedModel(f"{local.name} has no weights in {local.path}")
        return local.path
    if local.format is WeightFormat.ADAPTER:
        return _merged(local, report)
    if not local.sha256:
        raise DamagedModel(f"{local.name} has no digest: import it again with `midfill model import`")
    target = converted_dir(local.sha256)
    if not target.is_dir():
        from midfill.model.backends.hf.convert import convert_gguf  # here: it imports transformers

        convert_gguf(local.path, target, report)
    return target


def _merged(local: LocalModel, report: Report) -> Path:
    from midfill.model.backends.hf.adapted import merged_folder
    from midfill.model.store.adapter import read_adapter
    from midfill.model.store.store import Store

    adapter = read_adapter(local.path)
    try:
        base = Store().find(adapter.base)
    except (NoModel, UnknownModel) as error:
        raise UnknownModel(
            f"{local.name} is an adapter of {adapter.base}, which is not installed: "
            f"`midfill model pull {adapter.base}`"
        ) from error
    if base.format is WeightFormat.ADAPTER:
        raise UnsupportedModel(f"{local.name} is an adapter of {base.name}, which is an adapter itself")
    return merged_folder(adapter, as_folder(base, report), base.name, report)
