"""What was made from an installed model, and goes with it: converted, merged and quantised weights."""

from pathlib import Path

from midfill.model.store.adapter import read_adapter
from midfill.model.store.local import MERGED_DIGITS, WeightFormat, converted_dir, weights_key
from midfill.model.store.manifest import Manifest


def made_from(folder: Path, found: Manifest, root: Path) -> list[Path]:
    """The folders made from the model of `found` in `folder`. Raises DamagedModel, OSError."""
    if found.weights:
        own = weights = converted_dir(found.weights.sha256, root)
    elif found.format is WeightFormat.ADAPTER:
        own, weights = converted_dir(read_adapter(folder).digest(), root), folder
    else:
        own, weights = converted_dir(weights_key(folder), root), folder
    # By name: an earlier version's too, and what lies beside it. Then adapters merged into this model: they
    # are of no use without it. Files are left: the lock file of whoever converts may be held.
    patterns = (f"{own.name.rpartition('-v')[0]}-v*", f"*-on-{weights_key(weights)[:MERGED_DIGITS]}*")
    return [path for pattern in patterns for path in own.parent.glob(pattern) if path.is_dir()]
