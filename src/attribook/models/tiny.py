"""Seeded tiny random models, one for each family, built from their configs: tests and the smoke profile use them.

They predict nothing sensible. They are small enough for every notebook and differ where families differ: learned,
rotary or offset positions, a BOS token or none, scaled or projected embeddings, sliding windows, grouped heads.
"""

import hashlib
from collections.abc import Callable

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    Gemma3TextConfig,
    GPT2Config,
    GPTJConfig,
    LlamaConfig,
    MistralConfig,
    OPTConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

CONTEXT = 256
TOKENS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
SPECIALS = ["<unk>", "<s>", "</s>"]
# Merges make common words and word parts one token, so that tokens differ in length and words in pieces.
WORDS = [
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
]


def _gpt2(vocab: int) -> PreTrainedConfig:
    return GPT2Config(vocab_size=vocab, n_positions=CONTEXT, n_embd=32, n_layer=2, n_head=4, **TOKENS)


def _gptj(vocab: int) -> PreTrainedConfig:
    return GPTJConfig(vocab_size=vocab, n_positions=CONTEXT, n_embd=32, n_layer=2, n_head=4, rotary_dim=4, **TOKENS)


def _opt(vocab: int) -> PreTrainedConfig:
    return OPTConfig(
        vocab_size=vocab, hidden_size=32, word_embed_proj_dim=16, num_hidden_layers=2, num_attention_heads=4,
        ffn_dim=64, max_position_embeddings=CONTEXT, do_layer_norm_before=False, **TOKENS,
    )  # fmt: skip


def _opt_prenorm(vocab: int) -> PreTrainedConfig:
    return OPTConfig(
        vocab_size=vocab, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, ffn_dim=64,
        max_position_embeddings=CONTEXT, **TOKENS,
    )  # fmt: skip


def _rotary(config: type[PreTrainedConfig], **more: object) -> Callable[[int], PreTrainedConfig]:
    def build(vocab: int) -> PreTrainedConfig:
        return config(
            vocab_size=vocab, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=CONTEXT, **TOKENS, **more,
        )  # fmt: skip

    return build


# family -> config from a vocabulary size, and whether its tokenizer puts a BOS token first
FAMILIES: dict[str, tuple[Callable[[int], PreTrainedConfig], str | None]] = {
    "gpt2": (_gpt2, None),
    "opt": (_opt, "</s>"),  # as OPT-350m
    "opt_prenorm": (_opt_prenorm, "</s>"),  # as OPT of all other sizes
    "llama": (_rotary(LlamaConfig), "<s>"),
    "gemma3": (
        _rotary(
            Gemma3TextConfig,
            head_dim=8,
            sliding_window=24,
            layer_types=["sliding_attention", "full_attention"],
        ),
        "<s>",
    ),
    "qwen2": (_rotary(Qwen2Config), None),
    "gptj": (_gptj, None),
    "mistral": (_rotary(MistralConfig, sliding_window=24), "<s>"),
    "gemma2": (
        _rotary(Gemma2Config, head_dim=8, sliding_window=24, layer_types=["sliding_attention", "full_attention"]),
        "<s>",
    ),
}


def tiny_names() -> list[str]:
    """Names under which the tiny models can be explained."""
    return [f"tiny-{family}" for family in FAMILIES]


def tiny_model(family: str, *, seed: int = 0) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """A random network of the family and its tokenizer. The same seed gives the same weights."""
    build, bos = FAMILIES[family]
    tokenizer = tiny_tokenizer(bos)
    config = build(len(tokenizer))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        # The usual initialisation is so small that all predictions are nearly uniform: spread them.
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.data.normal_(std=0.25)
    return network.eval(), tokenizer


def tiny_tokenizer(bos: str | None) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with fixed merges; `bos` is put first where a family does that."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        pairs = [(word[:i], word[i]) for i in range(1, len(word))] + [("Ġ", word)]
        merges += [pair for pair in pairs if pair not in merges]
    vocabulary = dict.fromkeys(SPECIALS + alphabet + ["".join(pair) for pair in merges])
    ids = {token: number for number, token in enumerate(vocabulary)}
    core = Tokenizer(models.BPE(vocab=ids, merges=merges))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.post_processor = processors.ByteLevel(trim_offsets=False)
    if bos:
        core.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", pair=f"{bos} $A $B", special_tokens=[(bos, ids[bos])]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token="<unk>", bos_token=bos or "</s>", eos_token="</s>", pad_token="</s>",
        model_max_length=CONTEXT,
    )  # fmt: skip


def weights_fingerprint(network: PreTrainedModel) -> str:
    """SHA-256 over all weights in the order of their names: identifies a model that has no file."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
