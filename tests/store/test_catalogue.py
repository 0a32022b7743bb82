from midfill.model.store.catalogue import CATALOGUE, DEFAULT_MODEL, by_digest, by_name, by_repo, nearest
from midfill.model.store.manifest import is_kept, is_safe_name


def test_names_repositories_and_digests_are_each_unique_and_found_in_any_case() -> None:
    for field in ("name", "repo"):
        values = [getattr(entry, field).lower() for entry in CATALOGUE]
        assert len(set(values)) == len(values)
    for entry in CATALOGUE:
        assert is_safe_name(entry.name)
        assert by_name(entry.name.upper()) is by_repo(entry.repo.upper()) is entry
        assert not entry.file or is_kept(entry.file)
        assert not entry.sha256 or by_digest(entry.sha256) is entry


def test_the_default_is_free_software_with_a_known_digest() -> None:
    default = by_name(DEFAULT_MODEL)
    assert default is not None
    assert default.open_source
    assert default.commercial_use
    assert default.size_bytes == 491_400_064
    assert default.sha256.startswith("1d9614638d18024d")


def test_code_llama_is_there_in_every_size_and_variant_and_is_never_called_open_source() -> None:
    llamas = [entry for entry in CATALOGUE if entry.family == "code-llama"]
    assert len(llamas) == 12
    assert not any(entry.open_source for entry in llamas)
    seven = by_name("codellama-7b-instruct")
    assert seven is not None
    assert seven.repo == "codellama/CodeLlama-7b-Instruct-hf"
    fillers = {entry.name for entry in llamas if "Not trained to fill" not in entry.note}
    assert fillers == {
        f"codellama-{size}{kind}" for size in ("7b", "13b", "70b") for kind in ("", "-instruct")
    }


def test_only_the_research_licence_forbids_commercial_use() -> None:
    assert [entry.name for entry in CATALOGUE if not entry.commercial_use] == ["qwen2.5-coder-3b"]


def test_near_names_come_first_and_nonsense_has_none() -> None:
    assert nearest("codellama7b")[0] == "codellama-7b"
    assert nearest("zzzzzz") == []
