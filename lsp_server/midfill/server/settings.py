"""The one definition of every `midfill.*` setting: name, type, default, meaning.

Knows nothing of where a value came from: see `client_settings.py`.
"""

from dataclasses import dataclass, fields

from midfill.model.config import ModelConfig
from midfill.model.dialects import SETTINGS as DIALECT_NAMES
from midfill.server.action_settings import ActionSettings
from midfill.server.globs import unreadable
from midfill.server.option import Option, option

SECTION = "midfill"
SECONDS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Settings(ActionSettings):
    backend: str = option(
        "backend",
        "transformers",
        "Which engine runs the model. `scripted` is a deterministic stand-in for tests.",
        str,
        choices=("transformers", "scripted"),
        restarts_model=True,
    )
    model: str = option(
        "model",
        "",
        "Model for completions: a name from `midfill model list`, a hub id that was pulled "
        "(`owner/name`, `owner/name@commit`), or a path: a GGUF file, a folder, a LoRA adapter's. "
        "Empty: the one chosen with `midfill model use`, else the default.",
        str,
        restarts_model=True,
    )
    instruct_model: str = option(
        "instructModel",
        "",
        "Model for code actions, named as `model` is. Empty: the same model. Another one is loaded at the "
        "first action; two that do not fit into memory together take turns.",
        str,
        restarts_model=True,
    )
    unload_after_minutes: float = option(
        "unloadAfterMinutes",
        0,
        "Minutes without a request after which the model leaves memory; the next request loads it again. "
        "0: never.",
        (int, float),
        minimum=0,
        maximum=10_080,
        restarts_model=True,
    )
    instruct_unload_after_minutes: float = option(
        "instructUnloadAfterMinutes",
        10,
        "The same for `instructModel`, where it is another one.",
        (int, float),
        minimum=0,
        maximum=10_080,
        restarts_model=True,
    )
    device: str = option(
        "device",
        "auto",
        "`auto`, `cpu`, `cuda`, `cuda:1`, `mps`.",
        str,
        restarts_model=True,
    )
    dtype: str = option(
        "dtype",
        "auto",
        "Number format of the weights in memory. `auto` measures what this machine does faster.",
        str,
        choices=("auto", "float32", "bfloat16", "float16"),
        restarts_model=True,
    )
    quantization: str = option(
        "quantization",
        "auto",
        "How weights are rounded for writing, token by token. `auto`: `int4` on a CPU, for models of "
        "Llama's and Qwen2's architecture and unless `dtype` is set; else `none`. `int8` and `int4` are "
        "refused with a message where they cannot run.",
        str,
        choices=("auto", "none", "int8", "int4"),
        restarts_model=True,
    )
    fim_dialect: str = option(
        "fimDialect",
        "auto",
        "How the model is asked to fill in the middle. `auto` goes by the model's name, then by its "
        "vocabulary and a trial when it is loaded; `none` completes left to right.",
        str,
        choices=DIALECT_NAMES,
        restarts_model=True,
    )
    debounce_ms: float | str = option(
        "debounceMs",
        "auto",
        "How long typing must rest before the model is asked, in milliseconds, or `auto`. "
        "An explicit request never waits.",
        (int, float, str),
        choices=("auto",),
        minimum=0,
    )
    candidates: int = option(
        "candidates",
        3,
        "How many different suggestions an explicit request may get, to choose from.",
        int,
        minimum=1,
        maximum=10,
    )
    write_ahead: str = option(
        "writeAhead",
        "on",
        "While a suggestion is looked at and the device is idle, write the one that comes after it.",
        str,
        choices=("on", "off"),
    )
    silences_off: tuple[str, ...] = option(
        "silencesOff",
        (),
        "Reasons for which nothing is suggested unasked that shall not count, of: `mid-word`, "
        "`line-goes-on`, `nearly-empty`, `after-deletion`, `after-accept`, `popup-item`.",
        list,
    )
    max_new_tokens: int = option(
        "maxNewTokens", 64, "Most tokens a completion may have.", int, minimum=1, maximum=4096
    )
    context_tokens: int = option(
        "contextTokens",
        0,
        "Most tokens of prompt and answer together. 0: 2048 on a CPU, 16384 on a GPU, "
        "at most the model's own limit, which for Code Llama is 100000.",
        int,
        minimum=0,
        maximum=1_000_000,
        restarts_model=True,
    )
    completion_menu: str = option(
        "completionMenu",
        "auto",
        "Offer suggestions in the completion menu too. `auto`: only to editors without inline "
        "completion, such as Helix. Read when the editor starts the server.",
        str,
        choices=("auto", "on", "off"),
    )
    temperature: float = option(
        "temperature", 0.0, "0 always takes the likeliest token.", (int, float), minimum=0, maximum=5
    )
    threads: int = option(
        "threads",
        0,
        "CPU threads for the model. 0: one less than the machine has cores.",
        int,
        minimum=0,
        maximum=1024,
        restarts_model=True,
    )
    languages: tuple[str, ...] = option(
        "languages",
        (),
        "Language ids to complete in, such as `python`, or not to, such as `!markdown`. Empty: all.",
        list,
    )
    exclude: tuple[str, ...] = option(
        "exclude",
        (),
        "Glob patterns of files in which nothing is suggested, and which no other file's suggestions are "
        "drawn from, such as `*.{env,pem}`, `secrets/` (a folder with all in it, at any depth) or `/data` "
        "(in the workspace folder, or the whole path).",
        list,
        doubt=unreadable,
    )
    cleanup_off: tuple[str, ...] = option(
        "cleanupOff",
        (),
        "Names of rules that shorten or drop what the model wrote, to switch off, such as `whole_syntax`. "
        "`midfill complete --explain` names those that fired.",
        list,
    )
    min_confidence: float | str = option(
        "minConfidence",
        "auto",
        "How sure the model must be of a suggestion that nobody asked for, as the mean probability of its "
        "tokens, 0–1, or `auto`: what was measured for the model, 0 for others. `0` shows everything.",
        (int, float, str),
        choices=("auto",),
        minimum=0,
        maximum=1,
    )
    statistics: str = option(
        "statistics",
        "on",
        "Count on this machine what was shown, accepted and kept, for `midfill stats`. No code is stored.",
        str,
        choices=("on", "off"),
    )
    log_level: str = option(
        "logLevel",
        "info",
        "What is logged. Source text only ever appears at `trace`.",
        str,
        choices=("error", "warning", "info", "debug", "trace"),
    )

    @property
    def rules_off(self) -> frozenset[str]:
        """Rules that do not run. What the scripted backend writes need be no code, and is shown."""
        scripted = {"whole_syntax"} if self.backend == "scripted" else set[str]()
        return frozenset(self.cleanup_off) | scripted

    def model_config(self) -> ModelConfig:
        """The part of the settings that the model side needs."""
        return ModelConfig(
            backend=self.backend,
            model=self.model,
            instruct_model=self.instruct_model,
            safety_model=self.safety_model,
            unload_after_s=self.unload_after_minutes * SECONDS_PER_MINUTE,
            instruct_unload_after_s=self.instruct_unload_after_minutes * SECONDS_PER_MINUTE,
            device=self.device,
            dtype=self.dtype,
            quantization=self.quantization,
            fim_dialect=self.fim_dialect,
            context_tokens=self.context_tokens,
            threads=self.threads,
            speculation=self.speculation,
            scripted_step_ms=float(self.scripted_step_ms),
            scripted_text=self.scripted_text,
            scripted_answers=self.scripted_answers,
        )


_FIELDS = sorted(fields(Settings), key=lambda field: field.name in ActionSettings.__dataclass_fields__)
"""In the order of the documentation: those of the actions last."""
OPTIONS: dict[str, Option] = {f.metadata["option"].name: f.metadata["option"] for f in _FIELDS}
RESTRICTED = ("model", "instructModel", "safetyModel", "testPython")
"""Name files that are read or run: an editor takes them from no workspace that its user has not trusted."""
ATTRIBUTES: dict[str, str] = {f.metadata["option"].name: f.name for f in fields(Settings)}


def needs_reload(old: Settings, new: Settings) -> bool:
    """Whether the model has to be loaded again for `new`."""
    restarting = (ATTRIBUTES[name] for name, known in OPTIONS.items() if known.restarts_model)
    return any(getattr(old, attribute) != getattr(new, attribute) for attribute in restarting)
