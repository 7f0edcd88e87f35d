"""Any Unicode text, on four kinds of tokenizers: spans cover it, scores align, and every form of output is valid."""

import contextlib
import io
import json
import re
import warnings
from base64 import b64decode
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
import torch
import transformers
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from attribook.cli.explain import explain
from attribook.errors import AttribookError
from attribook.models.causal import CausalLM
from attribook.models.load import load_model
from attribook.models.tiny import CONTEXT, FAMILIES
from attribook.show.figures import score_grid
from attribook.show.tokens import broken_tokens

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,:'é東"
SPECIALS = ("<unk>", "<s>", "</s>")


def sentencepiece(*, bytes_too: bool) -> transformers.PreTrainedTokenizerFast:
    """In SentencePiece's form: spaces are ▁, one stands before the text, compatibility forms are made one.

    With `bytes_too` as Llama's: a letter that it lacks is its bytes, and nothing is made one. Else it is unknown.
    """
    words = [*SPECIALS, *(f"<0x{code:02X}>" for code in range(256) if bytes_too), "▁", *LETTERS]
    merges = [("t", "h"), ("th", "e"), ("▁", "the"), ("o", "l"), ("ol", "d"), ("▁", "old"), ("▁", "▁")]
    ids = {word: number for number, word in enumerate(dict.fromkeys([*words, *("".join(pair) for pair in merges)]))}
    core = Tokenizer(models.BPE(vocab=ids, merges=merges, unk_token="<unk>", byte_fallback=bytes_too, fuse_unk=True))
    if bytes_too:
        core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        core.decoder = decoders.Sequence(parts)
    else:
        core.normalizer = normalizers.NFKC()
        core.pre_tokenizer = pre_tokenizers.Metaspace()
        core.decoder = decoders.Metaspace()
    core.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", ids["<s>"])])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token="<unk>", bos_token="<s>", eos_token="</s>", model_max_length=CONTEXT
    )


@cache
def model_of(kind):
    if kind in ("byte-level", "WordPiece"):
        return load_model({"byte-level": "tiny-gpt2", "WordPiece": "tiny-bert"}[kind])
    tokenizer = sentencepiece(bytes_too=kind == "byte fallback")
    torch.manual_seed(0)
    network = transformers.AutoModelForCausalLM.from_config(FAMILIES["llama"][0](len(tokenizer)))
    return CausalLM(network, tokenizer, name=kind)


KINDS = ("byte-level", "SentencePiece", "WordPiece", "byte fallback")
ODD = st.sampled_from([
    "the old city", " ", "\n", "\t", "▁", "##", "<s>", "</s>", "<unk>", "[CLS]", "[UNK]", "\0", "\x1b[31m", "\x85",
    "\u2028", "\u200b", "\u200d", "\ufeff", "\u202e", "e\u0301", "\u0301", "🥰", "👩\u200d👧", "🇯🇵", "ﬁ", "㍿", "İ",
    "ß", "한", "\u1112\u1161\u11ab", "$x_1$", "<b>&amp;", "\U0010ffff", "\ufffd", "\ufffe", "\ud83d", "`", "|",
])  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=30),
    st.lists(st.one_of(ODD, st.text(max_size=3)), max_size=12).map("".join),
    st.tuples(st.text(min_size=1, max_size=4), st.integers(1, CONTEXT)).map(lambda pair: pair[0] * pair[1]),
)


class Texts(HTMLParser):
    """What a page says in its cells, and whether its tags fit."""

    def __init__(self, source):
        super().__init__()
        self.open, self.told = [], ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.told += data if "td" in self.open else ""


def said(model, text, folder, **asked):
    """What `attribook explain` prints, with the model that is here."""
    given = {"model": "x", "method": "input_x_gradient", "target": None, "option": None, "seed": 0} | asked
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(stream):
        patch.setattr("attribook.models.load.load_model", lambda *_: model)
        explain(text, **({"html": None, "as_json": False} | given))
        stream.flush()
    return stream.buffer.getvalue().decode()


def check(kind, text, folder: Path, figure: bool) -> None:
    """All that must hold of a text. A text may be refused, by our own error."""
    model, page = model_of(kind), folder / "page.html"
    try:
        encoding = model.encode(text)
        printed = said(model, text, folder, as_json=True, html=page)
    except AttribookError:
        return
    found = json.loads(printed)
    tokens, scores = found["tokens"], found["scores"]
    assert len(tokens) == len(scores) == len(found["ids"]) == len(encoding)
    assert found["prompt"] == text
    own = [token for token, here in zip(tokens, found["attributable"], strict=True) if here]
    named = [token for token, here in zip(tokens, found["attributable"], strict=True) if not here]
    if any(name in text for name in named):  # special tokens that the text spells out, with the blanks around them
        for name in named:
            text = text.replace(name, "", 1)
        assert "".join("".join(own).split()) == "".join(text.split())
    else:
        assert "".join(own) == text
    terminal = said(model, found["prompt"], folder)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", terminal)
    source = page.read_bytes().decode()
    assert Texts(source).told.replace("\r", "") == "".join(broken_tokens(tokens)).replace("\r", "")
    if figure and len(tokens) < 60:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of matplotlib on glyphs and on labels that leave no room
            drawn = score_grid(tokens, pd.DataFrame({"x": scores}), "alt").source
        for image in re.findall(r"base64,([^\"]+)", drawn):
            ElementTree.fromstring(b64decode(image))


QUICK = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@pytest.mark.parametrize("kind", KINDS)
def test_any_text_is_explained_or_refused(kind, tmp_path):
    @settings(max_examples=25, derandomize=True, **QUICK)
    @given(TEXTS)
    @example("🥰\u2028\ud83c")
    @example("</s>the old </s> city")
    def cases(text):
        check(kind, text, tmp_path, figure=len(text) % 4 == 0)

    cases()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_five_hundred_texts_are_explained_or_refused(kind, tmp_path):
    @settings(max_examples=500, **QUICK)
    @given(TEXTS)
    def cases(text):
        check(kind, text, tmp_path, figure=len(text) % 10 == 0)

    cases()
