"""How much memory a model needs, by hand; what fits a machine, and what is offered where it does not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from midfill.model.errors import TooBig
from midfill.model.store.catalogue import CATALOGUE, by_name
from midfill.model.store.estimate import Need, Serving, Sizes, needed, read_sizes
from midfill.model.store.fit import (
    ON_CPU,
    ON_GPU,
    RUNTIME_BYTES,
    Machine,
    context_that_fits,
    fitting_context,
    local_sizes,
    refusal,
    resident_bytes,
    unpacking_refusal,
    verdict,
)
from midfill.model.store.local import LocalModel, WeightFormat
from midfill.model.store.shapes import sizes_of
from tests.store.making import gguf_bytes, repo_files, write_folder

GB = 1_000_000_000


def sizes(name: str) -> Sizes:
    entry = by_name(name)
    assert entry is not None
    return sizes_of(entry)


@pytest.mark.parametrize(
    ("name", "parameters", "kv_bytes_a_token"),
    [  # as their publishers count them; keys and values in 16 bits: layers · 2 · heads of keys · 128 · 2
        ("codellama-7b", 6_738_546_688, 32 * 2 * 32 * 128 * 2),
        ("codellama-13b-instruct", 13_016_028_160, 40 * 2 * 40 * 128 * 2),
        ("codellama-34b", 33_743_970_304, 48 * 2 * 8 * 128 * 2),
        ("codellama-70b", 68_976_910_336, 80 * 2 * 8 * 128 * 2),
        ("qwen2.5-coder-0.5b", 494_032_768, 24 * 2 * 2 * 64 * 2),
        ("qwen2.5-coder-0.5b-instruct", 630_167_424, 24 * 2 * 2 * 64 * 2),
        ("qwen2.5-coder-1.5b", 1_543_714_304, 28 * 2 * 2 * 128 * 2),
        ("qwen2.5-coder-3b", 3_085_938_688, 36 * 2 * 2 * 128 * 2),
        ("qwen2.5-coder-7b", 7_615_616_512, 28 * 2 * 4 * 128 * 2),
    ],
)
def test_the_table_has_the_sizes_that_the_publishers_give(
    name: str, parameters: int, kv_bytes_a_token: int
) -> None:
    found = sizes(name)
    assert (found.parameters, found.kv_width * 2) == (parameters, kv_bytes_a_token)


def test_every_model_of_the_catalogue_is_in_the_table() -> None:
    for entry in CATALOGUE:
        assert sizes_of(entry).kv_width, entry.name
        assert abs(sizes_of(entry).parameters / entry.parameters - 1) < 0.02, entry.name


@pytest.mark.parametrize(
    ("serving", "expected"),
    [
        # 6,738,546,688 weights of 2 bytes; 524,288 bytes a token; (4·4096 + 2·11008)·4 bytes a row.
        (ON_GPU, Need(13_477_093_376, 8_589_934_592, 512 * 153_600)),
        (replace(ON_GPU, context_tokens=2048), Need(13_477_093_376, 1_073_741_824, 512 * 153_600)),
        # Two tables of 131,137,536 stay in 2 bytes, the other 6,476,271,616 take 1 or 0.5625.
        (replace(ON_GPU, format="int8"), Need(524_550_144 + 6_476_271_616, 8_589_934_592, 512 * 153_600)),
        (replace(ON_GPU, format="int4"), Need(524_550_144 + 3_642_902_784, 8_589_934_592, 512 * 153_600)),
        # Attention, 32·4·4096² = 2,147,483,648, in int8; the other 4,459,925,504 of all but one table.
        (ON_CPU, Need(2_147_483_648 + 2_787_453_440, 2_147_483_648, 128 * 153_600, 13_477_093_376)),
        (Serving("cpu", "float32", 1024), Need(26_954_186_752, 1_073_741_824, 128 * 153_600)),
    ],
)
def test_what_code_llama_7b_needs_by_hand(serving: Serving, expected: Need) -> None:
    assert needed(sizes("codellama-7b"), serving) == expected


def test_the_default_models_packed_file_is_as_long_as_estimated() -> None:
    seen = 325_355_904  # bytes, on disk
    assert abs(needed(sizes("qwen2.5-coder-0.5b-instruct"), ON_CPU).weights / seen - 1) < 0.01


def test_the_process_is_about_as_large_as_the_doctor_says() -> None:
    seen = 697_585_664  # bytes resident with the default model, loaded and asked (2 cores, AVX-512 VNNI)
    assert abs(resident_bytes(sizes("qwen2.5-coder-0.5b-instruct")) / seen - 1) < 0.05


@pytest.mark.parametrize("quantised", ["int8", "int4"])
def test_a_tied_head_is_quantised_beside_its_table(quantised: str) -> None:
    untied = sizes("qwen2.5-coder-0.5b-instruct")
    tied = replace(untied, tied=True, parameters=untied.parameters - untied.embedding)
    served = replace(ON_CPU, format=quantised)
    assert needed(tied, served).weights == needed(untied, served).weights


def test_sizes_are_read_from_any_config() -> None:
    starcoder = {"model_type": "gpt_bigcode", "n_embd": 2048, "n_layer": 24, "n_head": 16, "n_inner": 8192}
    starcoder |= {"vocab_size": 49_152, "multi_query": True}
    found = read_sizes(starcoder, stored_bytes=4_548_000_000)
    assert (found.parameters, found.kv_width) == (2_274_000_000, 24 * 2 * 128)
    assert read_sizes({"dtype": "float32"}, 400).parameters == 100
    assert read_sizes({}) == Sizes(0)


@pytest.mark.parametrize(
    ("name", "machine", "says"),
    [
        ("qwen2.5-coder-0.5b-instruct", Machine(8 * GB, 6 * GB), "yes"),
        ("qwen2.5-coder-0.5b-instruct", Machine(8 * GB, 2 * GB), "tight"),
        ("qwen2.5-coder-1.5b-instruct", Machine(8 * GB, 6 * GB), "no, needs 8.1 GB"),  # to unpack it
        ("qwen2.5-coder-7b", Machine(32 * GB, 25 * GB), "yes"),
        ("codellama-7b", Machine(16 * GB, 12 * GB), "tight"),
        ("codellama-7b", Machine(6 * GB, 4 * GB), "no, needs 7.4 GB"),
        ("codellama-7b", Machine(6 * GB, 4 * GB, 16 * GB), "yes, GPU"),  # at a smaller context
        ("codellama-7b", Machine(6 * GB, 4 * GB, 13 * GB), "no, needs 7.4 GB"),
        ("codellama-70b", Machine(512 * GB, 300 * GB, 80 * GB), "yes"),
    ],
)
def test_what_fits(name: str, machine: Machine, says: str) -> None:
    entry = by_name(name)
    assert entry is not None
    assert verdict(sizes_of(entry), machine, unpacked=bool(entry.file)) == says


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert verdict(Sizes(0), Machine(GB, GB)) == ""
    bare = Sizes(GB)  # a file of which only the number of weights is known
    assert verdict(bare, Machine(2 * GB, 2 * GB)) == "tight"
    assert needed(bare, ON_CPU).total + RUNTIME_BYTES == 925_000_000


@pytest.mark.parametrize(
    ("name", "serving", "free", "sentence"),
    [
        (
            "codellama-34b",
            ON_GPU,
            24 * GB,
            "codellama-34b does not fit: it needs 70.9 GB, 24.0 GB of cuda memory are free. These would "
            "fit: `quantization` int4 (23.1 GB), codellama-7b (22.1 GB), `device` cpu (24.5 GB).",
        ),
        (
            "codellama-7b-instruct",
            ON_GPU,
            16 * GB,
            "codellama-7b-instruct does not fit: it needs 22.1 GB, 16.0 GB of cuda memory are free. These "
            "would fit: `quantization` int8 (15.7 GB), `quantization` int4 (12.8 GB), `contextTokens` 4096 "
            "(15.7 GB), `device` cpu (7.1 GB).",
        ),
        (
            "codellama-7b",
            ON_CPU,
            3 * GB,
            "codellama-7b does not fit: it needs 7.1 GB, 3.0 GB of memory are free. Choose a smaller one "
            "from `midfill model list`.",
        ),
        ("codellama-7b", ON_CPU, 8 * GB, ""),
    ],
)
def test_a_refusal_offers_what_is_near_and_fits(
    name: str, serving: Serving, free: int, sentence: str
) -> None:
    assert refusal(name, sizes(name), serving, free, ("int8", "int4"), 40 * GB) == sentence


def test_a_quantisation_that_cannot_run_is_not_offered() -> None:
    assert "quantization" not in refusal("codellama-7b", sizes("codellama-7b"), ON_GPU, 16 * GB)


def test_a_context_that_nobody_asked_for_gives_way() -> None:
    found = sizes("codellama-7b")
    assert fitting_context(found, ON_GPU, 24 * GB) == 16_384
    assert fitting_context(found, ON_GPU, 16 * GB) == 4096
    assert fitting_context(found, ON_GPU, 13 * GB) == 0
    assert context_that_fits("codellama-7b", found, ON_GPU, 16 * GB, asked=False) == 4096
    with pytest.raises(TooBig, match="`contextTokens` 4096"):
        context_that_fits("codellama-7b", found, ON_GPU, 16 * GB, asked=True)
    with pytest.raises(TooBig):
        context_that_fits("codellama-7b", found, ON_GPU, 13 * GB, asked=False)


def test_a_tiny_context_that_fits_is_kept() -> None:
    tiny = Sizes(1000, kv_width=10, row_width=10)
    assert fitting_context(tiny, Serving("cpu", "float32", 512), GB) == 512


def test_unpacking_needs_more_than_serving() -> None:
    assert unpacking_refusal("m.gguf", 1_780_000_000, 8 * GB) == ""
    assert "7.8 GB of memory once, 7.0 GB are free" in unpacking_refusal("m.gguf", 1_780_000_000, 7 * GB)


def test_the_sizes_of_what_is_here_come_from_its_headers(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf_bytes())
    assert local_sizes(LocalModel("m", path, WeightFormat.GGUF)) == (Sizes(3 * 8 + 5 * 8), True)
    folder = write_folder(tmp_path / "m", repo_files())
    (folder / "config.json").write_text(json.dumps({"hidden_size": 8}), encoding="utf-8")
    found, unpacked = local_sizes(LocalModel("m", folder, WeightFormat.SAFETENSORS))
    assert found.parameters == (folder / "model.safetensors").stat().st_size // 2
    assert not unpacked
    (folder / "config.json").write_text("{", encoding="utf-8")
    assert local_sizes(LocalModel("m", folder, WeightFormat.SAFETENSORS)) == (Sizes(0), False)
