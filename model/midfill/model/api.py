"""What crosses between the editor side and the model side: plain frozen data, standard library only.

Everything here could be pickled and sent to another process; nothing here holds a tensor, a token id,
an LSP position or a callback. Text is Unicode without CRLF (the server normalises line ends and
restores them); offsets are not used at all.
"""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Scope(StrEnum):
    """How much a completion may write."""

    SINGLE_LINE = "single_line"
    BLOCK = "block"


class Lane(IntEnum):
    """Who goes first. A lower lane pre-empts a higher one between two forward passes."""

    FIM = 0
    CHAT = 1
    AHEAD = 2
    """Prefilling a prompt's KV cache before anybody asked. Dropped as soon as anybody does."""


class FinishReason(StrEnum):
    EOT = "eot"
    """The model ended by itself (end of text, end of middle, a file separator …)."""
    STOP = "stop"
    """A stop rule on the text ended it."""
    LENGTH = "length"
    """The token limit, or the model's context, ended it."""
    CANCELLED = "cancelled"
    """The request's cancel token was set; its reason says by whom."""
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Snippet:
    """Context from elsewhere in the workspace: `text` as it stands in the file `path`."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class StopRules:
    """What the text around the hole says about where a completion ends. See `stops.py`."""

    scope: Scope = Scope.SINGLE_LINE
    line_before: str = ""
    """The current line, left of the cursor: its indentation is the block's."""
    next_line: str = ""
    """The next line below the cursor that is not blank: generating it again ends the completion."""
    may_grow: bool = False
    """A single line goes on as a block if its first line opens one, or leaves a bracket open."""
    unclosed: int = 0
    """Brackets left open before the cursor that nothing behind it closes."""
    in_string: bool = False
    """The cursor stands in a string of several lines: no line of it is code."""
    off: frozenset[str] = frozenset()
    """Rules that are switched off, of `stops.STOP_RULES`."""


@dataclass(frozen=True, slots=True)
class FimRequest:
    """Fill the hole between `prefix` and `suffix`. The backend fits both into its context."""

    prefix: str
    suffix: str
    language: str = ""
    path: str = ""
    snippets: tuple[Snippet, ...] = ()
    """From other files, the most telling last. The same ones in the same order are prefilled once."""
    repository: str = ""
    """The repository's name, as models are told it; empty: unknown."""
    stop: StopRules = field(default_factory=StopRules)
    max_new_tokens: int = 64
    temperature: float = 0.0
    """0 is greedy."""
    deadline_s: float | None = None
    """Seconds from submission after which the request is cancelled with reason TIMEOUT."""
    patient: bool = False
    """Nobody is typing: all the text that fits is read, however long that takes."""
    prefill_only: bool = False
    """Compute the prompt's KV cache and stop: no token is generated."""
    apart: bool = False
    """For an action, on the chat's lane: completions may come between any two tokens, so it is kept away
    from the documents' KV caches, and `path` and `snippets` do not count."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    role: str
    """`system`, `user` or `assistant`."""
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Answer the last of `messages` (in the model's own chat format)."""

    messages: tuple[ChatMessage, ...]
    max_new_tokens: int = 512
    temperature: float = 0.0
    deadline_s: float | None = None
    choices: tuple[str, ...] = ()
    """If there are any, the answer is one of them to the character; `max_new_tokens` cuts none."""
    to_filter: bool = False
    """For the safety filter's model (`ModelConfig.safety_model`), not for the one that chats."""

    def __post_init__(self) -> None:
        if not all(self.choices):
            raise ValueError("an empty text is no choice")
        if len(set(self.choices)) < len(self.choices):
            raise ValueError("two choices are the same")


Request = FimRequest | ChatRequest


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one forward pass added. `text` is empty after a prefill block, and while a character or a
    possible stop is still incomplete; `logprobs` are natural logs, one a token this chunk completes.
    """

    text: str = ""
    logprobs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and milliseconds of one request."""

    prompt_tokens: int = 0
    reused_tokens: int = 0
    """Prompt tokens whose KV cache was already there."""
    generated_tokens: int = 0
    prefill_ms: float = 0.0
    decode_ms: float = 0.0
    queue_ms: float = 0.0
    drafted_tokens: int = 0
    """Guesses that forward passes verified along with the token they were there for."""
    accepted_tokens: int = 0
    """Guesses that came true: tokens without a forward pass of their own."""
    snippets: int = 0
    """How many of the request's snippets the prompt had room for: its last ones."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The last event of every request."""

    reason: FinishReason
    usage: Usage = field(default_factory=Usage)
    message: str = ""
    """For ERROR: one sentence for a human, without source text."""
    rules: tuple[str, ...] = ()
    """The stop rules that decided something, in order; for STOP the last one ended the answer."""


Event = Chunk | Finish


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """Where loading or downloading stands. `fraction` is 0–1, or None when it cannot be known."""

    stage: str
    """`download`, `verify`, `convert`, `load` or `warm-up`. Of a model that was ready before: also `idle`
    (unloaded because nobody asked), `failed`, and `ready` when all is well again."""
    message: str
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A loaded model, as the status bar and `midfill doctor` show it."""

    name: str
    device: str
    dtype: str
    dialect: str
    """Name of the FIM dialect; empty when the model cannot fill in the middle."""
    context_tokens: int
    """Prompt and answer together never exceed this."""
    left_to_right: str = ""
    """Why the model completes left to right; empty when it fills."""
    can_chat: bool = False
    parameters: int = 0
    memory_bytes: int = 0
    """Weights as they lie in memory."""
    note: str = ""
    """What of the settings could not be had, as a sentence for the status."""
    load_ms: float = 0.0
