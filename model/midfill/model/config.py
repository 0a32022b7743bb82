"""What the server tells the model side about the model to run. Plain data, no defaults looked up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """One model to load. Empty strings and zeros mean "choose for me"."""

    backend: str = "transformers"
    model: str = ""
    """A catalogue name, an imported name, a path to a folder or a GGUF file; empty: the one in use."""
    instruct_model: str = ""
    """Answers chat requests, named as `model` is; empty: the same model."""
    safety_model: str = ""
    """Answers requests to the safety filter, named as `model` is; empty: there is none."""
    unload_after_s: float = 0
    """Seconds without a request after which the model leaves memory; 0: never."""
    instruct_unload_after_s: float = 0
    """The same for a second model, and for the safety filter's."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:1`, `mps`."""
    dtype: str = "auto"
    """`auto`, `float32`, `bfloat16`, `float16`."""
    quantization: str = "auto"
    """`auto`, `none`, `int8`, `int4`."""
    fim_dialect: str = "auto"
    """`auto`, `none`, or a dialect's name (`dialects.SETTINGS`)."""
    speculation: str = "auto"
    """`auto`: guess ahead from text that is there already, where it pays; `off`."""
    context_tokens: int = 0
    """0: 2048 on a CPU, 16384 on a GPU, at most the model's own limit (Code Llama: 100,000)."""
    threads: int = 0
    """0: one less than the cores, at least one."""
    scripted_step_ms: float = 5.0
    """For the `scripted` backend: how long one forward pass takes."""
    scripted_text: str = ""
    """For the `scripted` backend: what it writes; empty: something made from the prompt."""
    scripted_answers: tuple[str, ...] = ()
    """For the `scripted` backend: its answers in chats, in turn, the last one again and again."""
