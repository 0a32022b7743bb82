"""Genuine vocabularies of the evaluation data as tokenizers, and the prompt a dialect makes on them."""

from pathlib import Path

from sentencepiece import SentencePieceProcessor
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers

from midfill.model.dialects import FimDialect, render
from midfill.model.pieces import BYTE_ALPHABET
from midfill.model.tokens import CodeTokenizer
from tests.model.evaluation_data import shared, shared_tokenizer

LLAMA2 = "llama2.tokenizer.model"
MISTRAL = "mistral_instruct_tokenizer_240323.model.v3"
STEP = "<step>"
SIGN = {byte: sign for sign, byte in BYTE_ALPHABET.items()}


def by_hand(pieces: list[bytes], markers: tuple[str, ...] = ("<|fim_middle|>",)) -> CodeTokenizer:
    """A byte-level vocabulary of exactly these pieces: token ids are their places in the list."""
    signs = ["".join(SIGN[byte] for byte in piece) for piece in pieces]
    tokenizer = Tokenizer(models.BPE({sign: i for i, sign in enumerate(signs)}, []))
    tokenizer.add_special_tokens([AddedToken(m, special=True, normalized=False) for m in markers])
    return CodeTokenizer(tokenizer)


def code_tokenizer(name: str) -> CodeTokenizer:
    """A vocabulary by its name in the evaluation data; `codestral` and `codellama-70b` are made here."""
    match name:
        case "codestral":
            return CodeTokenizer(from_sentencepiece(shared("tokenizers", MISTRAL)))
        case "codellama-70b":
            tokenizer = shared_tokenizer("codellama-reconstructed")
            tokenizer.add_special_tokens([AddedToken(STEP, special=True, normalized=False)])
            return CodeTokenizer(tokenizer)
    return CodeTokenizer(shared_tokenizer(name))


def sentencepiece(name: str) -> SentencePieceProcessor:
    """A genuine SentencePiece model: the reference that ids are checked against."""
    return SentencePieceProcessor(model_file=str(shared("tokenizers", name)))


def from_sentencepiece(path: Path) -> Tokenizer:
    """The same vocabulary as a `tokenizers.Tokenizer`, as a Llama-like model's tokenizer.json has it.

    A merge is every way to put a piece together from two others; the better score goes first. Among equals
    (Mistral's runs of spaces) SentencePiece takes the leftmost, so the longer left half goes first.
    """
    model = SentencePieceProcessor(model_file=str(path))
    pieces = [model.id_to_piece(i) for i in range(model.get_piece_size())]
    ids = {piece: i for i, piece in enumerate(pieces)}
    control = [piece for i, piece in enumerate(pieces) if model.is_control(i) or model.is_unknown(i)]
    plain = [p for i, p in enumerate(pieces) if p not in control and not model.is_byte(i)]
    merges = [
        (piece[:n], piece[n:]) for piece in plain for n in range(1, len(piece)) if is_pair(ids, piece, n)
    ]
    merges.sort(key=lambda pair: (-model.get_score(ids["".join(pair)]), -len(pair[0])))
    tokenizer = Tokenizer(
        models.BPE(ids, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True, ignore_merges=False)
    )
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens([AddedToken(p, special=True, normalized=False) for p in control])
    return tokenizer


def is_pair(ids: dict[str, int], piece: str, cut: int) -> bool:
    return piece[:cut] in ids and piece[cut:] in ids


def prompt(tokenizer: CodeTokenizer, dialect: FimDialect, prefix: str, suffix: str, bos: str) -> list[int]:
    """The prompt's ids, made as the backend makes them, with nothing cut."""
    ids = {marker: i for marker in dialect.markers if (i := tokenizer.marker_id(marker)) is not None}
    bos_id = tokenizer.marker_id(bos) if bos else None
    return render(dialect, ids, tokenizer.encode(prefix), tokenizer.encode_continuation(suffix), bos_id)
