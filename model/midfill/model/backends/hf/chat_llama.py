"""The chat formats of the Llama 2 family, built by hand to the token: none has markers of its own but
BOS, EOS and, in Code Llama 70B, `<step>`.
"""

from collections.abc import Sequence

from midfill.model.api import ChatMessage
from midfill.model.backends.hf.chat import ChatFormat, as_dialogue, encode_parts, marker_ids, split_tags
from midfill.model.tokens import CodeTokenizer

BOS, EOS, STEP = "<s>", "</s>", "<step>"
TAGS = ("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>")
"""Meta refuses a message with one of these (`SPECIAL_TAGS`); source code may hold them, so here they are
encoded in pieces instead."""
TAGS_70B = ("Source:", "Destination:")
"""Text that heads a turn behind `<step>`; in a content it has none before it, and yet reads like one."""
TAGS_ATOM = ("Human:", "Assistant:")


def _render_llama2(tokenizer: CodeTokenizer, messages: Sequence[ChatMessage]) -> list[int]:
    """Every finished turn is a segment of its own, BOS to EOS (`chat_completion`, llama/generation.py)."""
    bos, eos = marker_ids(tokenizer, (BOS, EOS))
    dialogue = as_dialogue(messages)
    questions = [split_tags(question.strip(), TAGS) for question, _ in dialogue.finished]
    questions.append(split_tags(dialogue.question.strip(), TAGS))
    if dialogue.system is not None:
        first = dialogue.finished[0][0] if dialogue.finished else dialogue.question
        questions[0] = _with_system(dialogue.system, first)
    ids: list[int] = []
    for question, (_, answer) in zip(questions, dialogue.finished, strict=False):
        reply = split_tags(answer.strip(), TAGS)
        ids += [bos, *encode_parts(tokenizer, ["[INST] "], question, [" [/INST] "], reply, [" "]), eos]
    return [*ids, bos, *encode_parts(tokenizer, ["[INST] "], questions[-1], [" [/INST]"])]


def _with_system(system: str, question: str) -> list[str]:
    """The system message inside the first question. Meta strips the two as one text, after joining."""
    end = "\n<</SYS>>\n\n" if question.strip() else "\n<</SYS>>"
    head, *cuts = split_tags(system, TAGS)
    parts = [f"<<SYS>>\n{head}", *cuts]
    first, *rest = split_tags(question.rstrip(), TAGS)
    parts[-1] += end + first
    return [*parts, *rest]


def _render_70b(tokenizer: CodeTokenizer, messages: Sequence[ChatMessage]) -> list[int]:
    """Each string is encoded alone, so each begins with SentencePiece's space (`dialog_prompt_tokens`,
    llama/generation.py). A system turn there is always, perhaps an empty one.
    """
    bos, step = marker_ids(tokenizer, (BOS, STEP))
    dialogue = as_dialogue(messages)
    turns = [("system", dialogue.system or "")]
    for question, answer in dialogue.finished:
        turns += [("user", question), ("assistant", answer)]
    ids = [bos]
    for role, content in [*turns, ("user", dialogue.question)]:
        ids += tokenizer.encode(f" Source: {role}")
        if content:
            ids += encode_parts(tokenizer, ["\n\n "], split_tags(content.strip(), TAGS_70B))
        ids.append(step)
    return [*ids, *tokenizer.encode(" Source: assistant\nDestination: user"), *tokenizer.encode("\n\n ")]


def _render_atom(tokenizer: CodeTokenizer, messages: Sequence[ChatMessage]) -> list[int]:
    """`<s>Human: …\\n</s><s>Assistant: ` (FlagAlpha/Llama2-Chinese README). It has no system turn: a system
    message goes before the first question.
    """
    bos, eos = marker_ids(tokenizer, (BOS, EOS))
    dialogue = as_dialogue(messages)
    said = [text for turn in dialogue.finished for text in turn] + [dialogue.question]
    if dialogue.system:
        said[0] = f"{dialogue.system}\n\n{said[0]}"
    ids: list[int] = []
    for at, text in enumerate(said):
        speaker = "Assistant" if at % 2 else "Human"
        ids += [bos, *encode_parts(tokenizer, [f"{speaker}: "], split_tags(text, TAGS_ATOM), ["\n"]), eos]
    return [*ids, bos, *tokenizer.encode("Assistant: ")]


# Meta decodes an answer alone, whereby SentencePiece drops a space before it (llama/tokenizer.py).
LLAMA2 = ChatFormat("llama-2", _render_llama2, markers=(BOS, EOS), ends=(EOS,), space_first=True)
CODELLAMA_70B = ChatFormat(
    "codellama-70b", _render_70b, markers=(BOS, STEP), ends=(STEP,), space_first=True
)
ATOM = ChatFormat("atom", _render_atom, markers=(BOS, EOS), ends=(EOS,), space_first=True)
