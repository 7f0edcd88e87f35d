"""Seeded tiny random models, one for each family, built from their configs: tests and the smoke profile use them.

They predict nothing sensible. They are small enough for every notebook and differ where families differ: learned,
rotary or offset positions, a BOS token or none, scaled or projected embeddings, sliding windows, grouped heads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

CONTEXT = 1024
TOKENS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
SPECIALS = ["<unk>", "<s>", "</s>"]
LABELS = {"id2label": {0: "negative", 1: "positive"}, "label2id": {"negative": 0, "positive": 1}}
# Merges make common words and word parts one token, so that tokens differ in length and words in pieces. The labels of
# the sentiment template come first: earlier merges would otherwise cut them into pieces.
WORDS = [
    "negative",
    "positive",
    "the",
    "of",
    "in",
    "and",
    "was",
    "is",
    "to",
    "a",
    "my",
    "I",
    "it",
    "on",
    "at",
    "for",
    "with",
    "that",
    "capital",
    "city",
    "country",
    "language",
    "word",
    "from",
    "by",
    "an",
    "are",
    "born",
    "spoken",
    "money",
    "old",
    "young",
    "large",
    "small",
    "day",
    "night",
    "year",
    "home",
    "river",
    "king",
    "queen",
    "staying",
    "landed",
    "review",
    "sentiment",
    "film",
    "each",
    "whether",
    "or",
    "say",
    "story",
    "ending",
    "every",
    "ten",
    "after",
    "have",
    "all",
]


def _gpt2(vocab: int) -> PreTrainedConfig:
    return transformers.GPT2Config(vocab_size=vocab, n_positions=CONTEXT, n_embd=32, n_layer=2, n_head=4, **TOKENS)


def _gptj(vocab: int) -> PreTrainedConfig:
    return transformers.GPTJConfig(
        vocab_size=vocab, n_positions=CONTEXT, n_embd=32, n_layer=2, n_head=4, rotary_dim=4, **TOKENS
    )


def _opt(vocab: int) -> PreTrainedConfig:
    return transformers.OPTConfig(
        vocab_size=vocab, hidden_size=32, word_embed_proj_dim=16, num_hidden_layers=2, num_attention_heads=4,
        ffn_dim=64, max_position_embeddings=CONTEXT, do_layer_norm_before=False, **TOKENS,
    )  # fmt: skip


def _opt_prenorm(vocab: int) -> PreTrainedConfig:
    return transformers.OPTConfig(
        vocab_size=vocab, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, ffn_dim=64,
        max_position_embeddings=CONTEXT, **TOKENS,
    )  # fmt: skip


def _rotary(config: str, **more: object) -> Callable[[int], PreTrainedConfig]:
    def build(vocab: int) -> PreTrainedConfig:
        found: PreTrainedConfig = getattr(transformers, config)(
            vocab_size=vocab, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=CONTEXT, **TOKENS, **more,
        )  # fmt: skip
        return found

    return build


# family -> config from a vocabulary size, and whether its tokenizer puts a BOS token first
FAMILIES: dict[str, tuple[Callable[[int], PreTrainedConfig], str | None]] = {
    "gpt2": (_gpt2, None),
    "opt": (_opt, "</s>"),  # as OPT-350m
    "opt_prenorm": (_opt_prenorm, "</s>"),  # as OPT of all other sizes
    "llama": (_rotary("LlamaConfig"), "<s>"),
    "gemma3": (
        _rotary(
            "Gemma3TextConfig",
            head_dim=8,
            sliding_window=24,
            layer_types=["sliding_attention", "full_attention"],
        ),
        "<s>",
    ),
    "qwen2": (_rotary("Qwen2Config"), None),
    "gptj": (_gptj, None),
    "mistral": (_rotary("MistralConfig", sliding_window=24), "<s>"),
    "gemma2": (
        _rotary("Gemma2Config", head_dim=8, sliding_window=24, layer_types=["sliding_attention", "full_attention"]),
        "<s>",
    ),
}


def _bert(vocab: int) -> PreTrainedConfig:
    return transformers.BertConfig(
        vocab_size=vocab, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=CONTEXT, pad_token_id=0, **LABELS,
    )  # fmt: skip


def _roberta(vocab: int) -> PreTrainedConfig:
    return transformers.RobertaConfig(
        vocab_size=vocab, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=CONTEXT + 4, type_vocab_size=1, bos_token_id=1, eos_token_id=2, pad_token_id=3,
        **LABELS,
    )  # fmt: skip


def _distilbert(vocab: int) -> PreTrainedConfig:
    return transformers.DistilBertConfig(
        vocab_size=vocab, dim=32, hidden_dim=64, n_layers=2, n_heads=4, max_position_embeddings=CONTEXT,
        pad_token_id=0, **LABELS,
    )  # fmt: skip


# family -> config of a classifier of two classes, and its tokenizer
CLASSIFIERS: dict[str, tuple[Callable[[int], PreTrainedConfig], Callable[[], PreTrainedTokenizerFast]]] = {
    "bert": (_bert, lambda: tiny_wordpiece()),
    "roberta": (_roberta, lambda: tiny_tokenizer("<s>", encoder=True)),
    "distilbert": (_distilbert, lambda: tiny_wordpiece()),
}


def tiny_model(family: str, *, seed: int = 0) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """A random network of the family and its tokenizer. The same seed gives the same weights."""
    if family in CLASSIFIERS:
        build, tokenizer = CLASSIFIERS[family][0], CLASSIFIERS[family][1]()
        kind = transformers.AutoModelForSequenceClassification
    else:
        build, tokenizer = FAMILIES[family][0], tiny_tokenizer(FAMILIES[family][1])
        kind = transformers.AutoModelForCausalLM
    config = build(len(tokenizer))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = kind.from_config(config, dtype=torch.float32)
        # The usual initialisation is so small that all predictions are nearly uniform: spread them.
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.data.normal_(std=0.25)
    return network.eval(), tokenizer


def tiny_tokenizer(bos: str | None, *, encoder: bool = False) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with fixed merges; `bos` is put first where a family does that.

    An encoder's has padding and mask tokens too, and puts `</s>` last.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        pairs = [(word[:i], word[i]) for i in range(1, len(word))] + [("Ġ", word)]
        merges += [pair for pair in pairs if pair not in merges]
    more = ["<pad>", "<mask>"] if encoder else []
    vocabulary = dict.fromkeys(SPECIALS + more + alphabet + ["".join(pair) for pair in merges])
    ids = {token: number for number, token in enumerate(vocabulary)}
    core = Tokenizer(models.BPE(vocab=ids, merges=merges))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.post_processor = processors.ByteLevel(trim_offsets=False)
    if encoder:
        core.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", ids["<s>"]), ("</s>", ids["</s>"])]
        )
        return transformers.PreTrainedTokenizerFast(
            tokenizer_object=core, unk_token="<unk>", cls_token="<s>", bos_token="<s>", sep_token="</s>",
            eos_token="</s>", pad_token="<pad>", mask_token="<mask>", model_max_length=CONTEXT,
        )  # fmt: skip
    if bos:
        core.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", pair=f"{bos} $A $B", special_tokens=[(bos, ids[bos])]
        )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token="<unk>", bos_token=bos or "</s>", eos_token="</s>", pad_token="</s>",
        model_max_length=CONTEXT,
    )  # fmt: skip


def tiny_wordpiece() -> PreTrainedTokenizerFast:
    """A WordPiece tokenizer in BERT's form: lower case, `[CLS]` first, `[SEP]` last, letters for unknown words."""
    specials = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    letters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    words = [word.lower() for word in WORDS]
    vocabulary = dict.fromkeys([*specials.values(), *letters, *(f"##{letter}" for letter in letters), *words])
    ids = {token: number for number, token in enumerate(vocabulary)}
    core = Tokenizer(models.WordPiece(vocab=ids, unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=True)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.decoder = decoders.WordPiece()
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    )
    named = {f"{name}_token": token for name, token in specials.items()}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=core, model_max_length=CONTEXT, **named)


def weights_fingerprint(network: PreTrainedModel) -> str:
    """SHA-256 over all weights in the order of their names: identifies a model that has no file."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
