"""The settings: every option described, every wrong value one sentence, no good value lost to a bad."""

import math
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midfill.server.client_settings import Parsed, parse
from midfill.server.settings import OPTIONS, Settings, needs_reload

CONTRACT = [
    "backend",
    "model",
    "instructModel",
    "unloadAfterMinutes",
    "instructUnloadAfterMinutes",
    "device",
    "dtype",
    "quantization",
    "fimDialect",
    "debounceMs",
    "candidates",
    "writeAhead",
    "silencesOff",
    "maxNewTokens",
    "contextTokens",
    "completionMenu",
    "temperature",
    "threads",
    "languages",
    "exclude",
    "cleanupOff",
    "minConfidence",
    "statistics",
    "logLevel",
    "contextDefinitions",
    "contextSimilar",
    "contextEdits",
    "docstringStyle",
    "docstringExamples",
    "safetyModel",
    "failingTests",
    "testPython",
]
"""The names that stay (DESIGN, the contract)."""
NOT_FOR_ANY = ({"a": 1}, True, [1], object())
"""Values that no option takes."""


def test_every_name_of_the_contract_is_there_and_each_option_has_a_meaning_and_a_type():
    assert [name for name, known in OPTIONS.items() if not known.hidden] == CONTRACT
    assert [name for name, known in OPTIONS.items() if len(known.doc) < 15 or not known.kind] == []
    assert len(OPTIONS) == len(fields(Settings))


def test_every_default_passes_its_own_option():
    attributes = {f.metadata["option"].name: getattr(Settings(), f.name) for f in fields(Settings)}
    raw = {name: list(value) if isinstance(value, tuple) else value for name, value in attributes.items()}
    assert parse(raw) == Parsed(Settings())


@pytest.mark.parametrize("raw", [None, {}, {"midfill": None}, {"midfill": {}}, {"model": None}])
def test_null_and_nothing_mean_the_defaults(raw):
    assert parse(raw) == Parsed(Settings())


def test_the_section_is_taken_bare_and_wrapped():
    bare = {"backend": "scripted", "maxNewTokens": 7, "languages": ["python", "go"], "temperature": 0.5}
    found = parse(bare)
    assert found == parse({"midfill": bare})
    assert found.problems == found.unknown == ()
    assert found.settings.backend == "scripted"
    assert found.settings.max_new_tokens == 7
    assert found.settings.languages == ("python", "go")


@pytest.mark.parametrize("raw", ["nonsense", 3, ["backend"], {"midfill": "nonsense"}, {"midfill": [1]}])
def test_a_section_that_is_no_object_is_one_problem(raw):
    found = parse(raw)
    assert found.settings == Settings()
    assert len(found.problems) == 1
    assert "expected an object" in found.problems[0]


@pytest.mark.parametrize("name", list(OPTIONS))
@pytest.mark.parametrize("value", NOT_FOR_ANY, ids=lambda value: type(value).__name__)
def test_a_value_of_the_wrong_type_falls_back_with_one_sentence_that_names_its_key(name, value):
    good = "threads" if name != "threads" else "contextTokens"
    found = parse({name: value, good: 3})
    assert found.settings == parse({good: 3}).settings
    [sentence] = found.problems
    assert sentence.startswith(f"midfill.{name}: expected ")
    assert found.unknown == ()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("maxNewTokens", "64", "a whole number"),
        ("maxNewTokens", 1.5, "a whole number"),
        ("maxNewTokens", 0, "at least 1"),
        ("maxNewTokens", True, "a whole number"),
        ("threads", False, "a whole number"),
        ("contextTokens", -1, "at least 0"),
        ("temperature", -0.1, "at least 0"),
        ("temperature", math.nan, "a finite number"),
        ("temperature", math.inf, "a finite number"),
        ("temperature", "hot", "expected a number, "),
        ("debounceMs", -5, "at least 0"),
        ("debounceMs", math.nan, "a finite number"),
        ("debounceMs", "soon", "one of 'auto'"),
        ("minConfidence", 1.01, "at most 1"),
        ("minConfidence", "sure", "one of 'auto'"),
        ("statistics", "yes", "one of 'on', 'off'"),
        ("debounceMs", [], "expected a number or a string"),
        ("dtype", "fp8", "one of 'auto', 'float32'"),
        ("quantization", "int3", "one of"),
        ("logLevel", "loud", "one of"),
        ("languages", "python", "a list of strings"),
        ("exclude", ["a", None], "a list of strings"),
        ("model", 7, "a string"),
    ],
)
def test_the_sentence_says_what_was_expected_and_what_is_used_instead(name, value, expected):
    found = parse({name: value})
    assert found.settings == Settings()
    [sentence] = found.problems
    assert sentence.startswith(f"midfill.{name}: ")
    assert expected in sentence
    assert "; using " in sentence


def test_a_long_value_is_cut_in_its_sentence():
    [sentence] = parse({"device": ["x" * 10_000]}).problems
    assert len(sentence) < 200


@pytest.mark.parametrize(
    ("name", "value", "attribute"),
    [
        ("debounceMs", "auto", "debounce_ms"),
        ("debounceMs", 0, "debounce_ms"),
        ("debounceMs", 12.5, "debounce_ms"),
        ("temperature", 1, "temperature"),
        ("device", "cuda:1", "device"),
        ("scriptedStepMs", 0.5, "scripted_step_ms"),
    ],
)
def test_a_good_value_is_taken_as_it_is(name, value, attribute):
    found = parse({name: value})
    assert found.problems == ()
    assert getattr(found.settings, attribute) == value


def test_unknown_keys_are_reported_apart_and_are_no_problem():
    found = parse({"trace": {"server": "off"}, "threads": 2, 3: 4})
    assert (found.unknown, found.problems, found.settings.threads) == (("trace", "3"), (), 2)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*OPTIONS, "midfill", "other"]), values, max_size=6) | values)
def test_no_json_at_all_makes_parsing_fail(raw):
    found = parse(raw)
    assert all(problem.startswith("midfill") for problem in found.problems)
    assert found.settings.max_new_tokens >= 1
    assert found.settings.model_config().context_tokens >= 0


def test_only_settings_of_the_model_reload_it():
    restarting = {name for name, known in OPTIONS.items() if known.restarts_model}
    assert {"backend", "model", "device", "dtype", "quantization", "threads", "contextTokens"} <= restarting
    assert not {"debounceMs", "temperature", "logLevel", "languages", "maxNewTokens"} & restarting
    new = {"model": "other", "threads": 3, "debounceMs": 1, "logLevel": "trace", "contextTokens": 9}
    for name, value in new.items():
        changed = parse({name: value}).settings
        assert needs_reload(Settings(), changed) is (name in restarting)
        assert not needs_reload(changed, changed)


def test_the_model_side_gets_what_the_user_set():
    raw = {"backend": "scripted", "model": "m", "device": "cpu", "dtype": "float32", "quantization": "none"}
    raw |= {"contextTokens": 11, "threads": 2, "scriptedStepMs": 1, "scriptedText": "t"}
    config = parse(raw).settings.model_config()
    assert (config.backend, config.model, config.device) == ("scripted", "m", "cpu")
    assert (config.dtype, config.quantization) == ("float32", "none")
    assert (config.context_tokens, config.threads) == (11, 2)
    assert (config.unload_after_s, config.instruct_unload_after_s) == (0, 600)
    assert (config.scripted_step_ms, config.scripted_text) == (1.0, "t")


def test_rules_are_switched_off_by_name_and_scripted_text_need_be_no_code():
    assert Settings(cleanup_off=("growth",)).rules_off == {"growth"}
    assert Settings(cleanup_off=("growth",), backend="scripted").rules_off == {"growth", "whole_syntax"}


def test_a_pattern_that_cannot_be_read_is_told_and_kept_with_the_others():
    parsed = parse({"exclude": ["*.env", "**/*.{pem,py", "!a.py"]})
    assert parsed.settings.exclude == ("*.env", "**/*.{pem,py", "!a.py")
    assert parsed.problems == (
        "midfill.exclude: a `{` that nothing closes, got '**/*.{pem,py'; using it as it is",
        "midfill.exclude: a pattern cannot take others back, got '!a.py'; using it as it is",
    )
