"""ReAGent and its replacers, written again slowly from the paper's equations, with the same random numbers."""

from dataclasses import replace
from itertools import pairwise
from math import ceil, exp, log

import pytest
import torch
from conftest import PROMPT, seeded
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast, RobertaConfig, RobertaForMaskedLM

from attribook.attribution.reagent import Settings, reagent_steps
from attribook.attribution.registry import METHODS, explain
from attribook.attribution.replacers.registry import REPLACERS, make_replacer
from attribook.errors import AttribookError
from attribook.models.edits import Replace
from attribook.models.load import load_model
from attribook.models.masked import load_masked_lm
from attribook.models.tiny import CLASSIFIERS, FAMILIES, tiny_tokenizer

FORMULA = 1e-8  # float64, as in test_methods
SHORT = "In the capital of Japan, I was staying at my old home"
WHOLE = "the old queen was born in my country by the river"  # every word one token
OWN = ["uniform", "left_to_right", "two_sided"]  # replacers that need nothing beside the explained model


@pytest.fixture(params=list(FAMILIES))
def family(request) -> str:
    """Of causal models: only they predict what to replace a token with. Encoders are tested at the end."""
    return request.param


def last_logits(model, ids):
    with torch.no_grad():
        return model.network(input_ids=torch.tensor([ids])).logits[0, -1].double()


def softmax(values):
    highest = max(values)
    weights = [exp(v - highest) for v in values]
    return [w / sum(weights) for w in weights]


def drawn(weights, u):
    """The first place whose summed weight lies above u of the total."""
    total, sofar = sum(weights), 0.0
    for place, weight in enumerate(weights):
        sofar += weight
        if sofar > u * total:
            return place
    raise AssertionError


def ordinary(model):
    special = set(model.tokenizer.all_special_ids)
    return [token for token in range(len(model.tokenizer)) if token not in special]


def slow_left_to_right(model, ids, u):
    """A token for every position, drawn from the prediction of what stands to its left; the first uniformly."""
    allowed = ordinary(model)
    tokens = [allowed[int(u[0] * len(allowed))]]
    for place in range(1, len(ids)):
        p = last_logits(model, ids[:place]).softmax(-1).tolist()
        tokens.append(allowed[drawn([p[token] for token in allowed], u[place])])
    return tokens


def slow_run(model, encoding, generator, *, ratio, keep_share, keep_tokens, top_k, max_steps, initial, update):
    """One run of algorithm 1: scores, steps, whether it stopped."""
    ids, target = encoding.ids.tolist(), encoding.target
    free = [place for place, here in enumerate(encoding.attributable.tolist()) if here]
    kept = keep_tokens or ceil(keep_share * len(free) - 1e-9)

    def numbers():
        return torch.rand(len(ids), generator=generator, dtype=torch.float64).tolist()

    first = numbers()
    scores = {i: {"logits": first[i], "scores": log(first[i]), "zero": 0.0}[initial] for i in free}
    before = float(last_logits(model, ids).softmax(-1)[target])
    for step in range(1, max_steps + 1):  # noqa: B007
        u, by, by_last = numbers(), numbers(), numbers()
        chosen = {i for i in free if u[i] < ratio}
        new = slow_left_to_right(model, ids, by)
        after = last_logits(model, [new[i] if i in chosen else ids[i] for i in range(len(ids))])
        drop = before - float(after.softmax(-1)[target])
        for i in free:
            signed = drop if i in chosen else -drop
            half = (signed + 1) / 2
            scores[i] += signed if update == "linear" else log(half / (1 - half))
        best = sorted(free, key=lambda i: -scores[i])[:kept]
        new = slow_left_to_right(model, ids, by_last)
        logits = last_logits(model, [new[i] if i in free and i not in best else ids[i] for i in range(len(ids))])
        stopped = target in logits.argsort(descending=True)[:top_k].tolist()
        if stopped:
            break
    final = [0.0] * len(ids)
    for i, score in zip(free, softmax([scores[i] for i in free]), strict=True):
        final[i] = score
    return final, step, stopped


@pytest.mark.parametrize(
    "options",
    [
        {"ratio": 0.3, "keep_share": 0.3, "keep_tokens": 0, "top_k": 3, "initial": "logits", "update": "logit"},
        {"ratio": 0.5, "keep_share": 0.3, "keep_tokens": 5, "top_k": 40, "initial": "scores", "update": "logit"},
        {"ratio": 0.2, "keep_share": 0.6, "keep_tokens": 0, "top_k": 40, "initial": "zero", "update": "linear"},
    ],
)
def test_reagent_is_algorithm_1_run_by_run(exact, options):
    encoding = exact.encode(SHORT)
    options = {**options, "max_steps": 4}
    seeds = torch.randint(2**62, (2,), generator=seeded(7)).tolist()
    runs = [slow_run(exact, encoding, torch.Generator().manual_seed(seed), **options) for seed in seeds]
    found = explain(exact, encoding, "reagent", generator=seeded(7), runs=2, **options)
    slow = torch.tensor([run[0] for run in runs], dtype=torch.float64).mean(0)
    torch.testing.assert_close(found.scores, slow, atol=FORMULA, rtol=0)
    assert found.details["steps_total"] == sum(run[1] for run in runs)
    assert found.details["runs_stopped"] == sum(run[2] for run in runs)
    assert float(found.scores.sum()) == pytest.approx(1, abs=1e-12)


# -- planted models --------------------------------------------------------------------------------------------------


@pytest.fixture
def planted(monkeypatch):
    """A model whose target has probability `high` where token `place` stands, else `low`, with 10 outputs."""

    def plant(place, high=0.9, low=0.1, text=SHORT):
        model = load_model("tiny-gpt2", dtype="float64")
        encoding = model.encode(text)

        def read(encoding, edits, reader):
            p = low + (high - low) * (edits.ids[:, place] == encoding.ids[place]).double()  # (B,)
            logits = ((1 - p) / 9).log()[:, None].repeat(1, len(model.tokenizer))
            logits[:, 10:] = -torch.inf
            logits[:, encoding.target] = p.log()
            model.engine._count(rows=len(p), tokens=0)
            return reader(logits)

        encoding = replace(encoding, target=0)
        monkeypatch.setattr(model, "read", read)
        # As the plant reads it, to the last bit: a drop that is rounding and not 0 would break ties by its sign.
        whole = float(model.outputs(encoding, Replace(encoding.ids[None]))[0])
        monkeypatch.setattr(model, "output", lambda *_: whole)
        return model, encoding

    return plant


@pytest.mark.parametrize("replacer", OWN)
def test_the_one_token_that_decides_gets_the_top_score(planted, replacer):
    for place in (0, 4, 11):
        model, encoding = planted(place, high=0.6, low=0.05)
        options = {"replacer": replacer, "original": "excluded", "keep_tokens": 1, "top_k": 1}
        found = explain(model, encoding, "reagent", generator=seeded(), **options)
        assert int(found.scores.argmax()) == place
        assert found.details["runs_stopped"] == 5


def test_the_stopping_rule_by_hand(planted, monkeypatch):
    # Token 1 of three decides. First step: token 0 is replaced, nothing is lost, all logits stay 0, and of equal ones
    # the first is kept: token 1 is replaced in the test, the target falls below the nine others. Second step: tokens 1
    # and 2 are replaced, the drop is 0.85: logit(0.925) = log(37 / 3) up for both, down for token 0. Token 1, the first
    # of the best, is kept, and the target comes first: stop.
    model, encoding = planted(1, high=0.9, low=0.05, text="the old was")
    assert len(encoding) == 3
    numbers = iter(
        [
            [[0.1, 0.9, 0.9], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]],
            [[0.9, 0.1, 0.1], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]],
            [[0.1, 0.1, 0.1], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]],  # run in one batch with the second, and dropped
        ]
    )
    take = lambda steps, *_: torch.tensor([next(numbers) for _ in range(steps)], dtype=torch.float64)  # noqa: E731
    monkeypatch.setattr("attribook.attribution.reagent.draws", take)
    options = {"runs": 1, "keep_tokens": 1, "top_k": 1, "initial": "zero", "ratio": 0.3, "replacer": "uniform"}
    found = explain(model, encoding, "reagent", generator=seeded(), original="excluded", **options)
    assert found.details["steps_total"] == 2
    assert found.details["steps_run"] == 3
    assert found.details["runs_stopped"] == 1
    up, down = 37 / 3, 3 / 37
    expected = [down / (2 * up + down), up / (2 * up + down), up / (2 * up + down)]
    assert found.scores.tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("average", ["all", "stopped"])
def test_a_run_that_never_stops_is_counted_and_gives_scores(planted, average):
    model, encoding = planted(3, high=0.05, low=0.01)  # the nine others always have more
    found = explain(model, encoding, "reagent", generator=seeded(), max_steps=12, top_k=1, runs=4, average=average)
    assert found.details["runs_stopped"] == 0
    assert found.details["steps_total"] == 48
    assert found.details["steps_mean"] == found.details["steps_max"] == 12
    assert bool(found.scores.isfinite().all())
    assert float(found.scores.sum()) == pytest.approx(1, abs=1e-12)
    assert float(found.scores.max()) < 1


def test_a_certain_target_that_is_lost_has_finite_scores(planted):
    model, encoding = planted(3, high=1.0, low=0.0)
    options = {"keep_tokens": 1, "top_k": 1, "original": "excluded"}
    found = explain(model, encoding, "reagent", generator=seeded(), **options)
    assert bool(found.scores.isfinite().all())
    assert int(found.scores.argmax()) == 3


def test_the_stopped_average_leaves_the_others_out():
    model = load_model("tiny-gpt2", dtype="float64")
    encoding = model.encode(SHORT)
    options = {"runs": 6, "max_steps": 2, "top_k": 5}
    *_, each = stepped(model, encoding, seeded(2), **options)
    assert 0 < int(each.stopped.sum()) < 6  # else this test tests nothing: choose another top_k
    whole = explain(model, encoding, "reagent", generator=seeded(2), **options).scores
    some = explain(model, encoding, "reagent", generator=seeded(2), average="stopped", **options).scores
    torch.testing.assert_close(whole, each.scores.mean(0), atol=1e-15, rtol=0)
    torch.testing.assert_close(some, each.scores[each.stopped].mean(0), atol=1e-15, rtol=0)


# -- runs, steps, batches --------------------------------------------------------------------------------------------


def stepped(model, encoding, generator, **options):
    every = METHODS["reagent"].resolve(options)
    places = encoding.movable(every["specials"])
    source = make_replacer(every["replacer"], model, encoding, places, original=every["original"])
    settings = Settings(**{name: every[name] for name in Settings.__dataclass_fields__})
    return reagent_steps(model, encoding, places, source, settings, generator)


def test_the_mean_of_single_runs_and_the_same_whatever_runs_beside():
    model = load_model("tiny-llama", dtype="float64")
    encoding = model.encode(SHORT)
    options = {"max_steps": 10, "top_k": 20}
    together = explain(model, encoding, "reagent", generator=seeded(4), runs=5, **options)
    generator = seeded(4)  # a single run draws one seed, so that five of them draw the same five
    single = [explain(model, encoding, "reagent", generator=generator, runs=1, **options) for _ in range(5)]
    torch.testing.assert_close(together.scores, torch.stack([one.scores for one in single]).mean(0), atol=1e-12, rtol=0)
    assert together.details["steps_total"] == sum(one.details["steps_total"] for one in single)
    assert len({one.details["steps_total"] for one in single}) > 1  # they stopped at different steps


@pytest.mark.parametrize("replacer", OWN)
def test_same_scores_whatever_the_token_budget(family, replacer):
    found = []
    for budget in (1, 100, 10**6):
        model = load_model(f"tiny-{family}", token_budget=budget)
        found.append(
            explain(model, model.encode(SHORT), "reagent", generator=seeded(1), replacer=replacer, max_steps=6)
        )
    for other in found[1:]:
        torch.testing.assert_close(found[0].scores, other.scores, atol=1e-5, rtol=1e-4)
        assert found[0].details == other.details


@pytest.mark.parametrize("replacer", OWN)
def test_same_steps_however_many_are_run_together(exact, replacer, monkeypatch):
    encoding = exact.encode(SHORT)
    options = {"replacer": replacer, "runs": 3, "max_steps": 9, "top_k": 60, "original": "excluded"}
    found = []
    for ahead in (0, 0.15, 1000):
        monkeypatch.setattr("attribook.attribution.reagent.AHEAD", ahead)
        found.append(explain(exact, encoding, "reagent", generator=seeded(3), **options))
    for other in found[1:]:
        torch.testing.assert_close(other.scores, found[0].scores, atol=FORMULA, rtol=0)
        assert other.details["steps_total"] == found[0].details["steps_total"] == found[0].details["steps_run"]
        assert 2 * other.details["steps_total"] > other.details["steps_run"] >= other.details["steps_total"]


def test_every_step_can_be_looked_at():
    model = load_model("tiny-gpt2")
    encoding = model.encode(SHORT)
    steps = list(stepped(model, encoding, seeded(3), max_steps=9, top_k=1))
    found = explain(model, encoding, "reagent", generator=seeded(3), max_steps=9, top_k=1)
    torch.testing.assert_close(found.scores, steps[-1].scores.mean(0))
    for before, after in pairwise(steps):
        frozen = before.stopped
        assert torch.equal(before.scores[frozen], after.scores[frozen])
        assert torch.equal(after.steps - before.steps, (~frozen).long())
        assert bool((after.stopped | ~frozen).all())
    for step in steps:
        torch.testing.assert_close(step.scores.sum(1), torch.ones(5, dtype=torch.float64))


def test_costs_with_every_replacer(family, fillers):
    model = load_model(f"tiny-{family}")
    encoding = model.encode(SHORT)
    for replacer in ["uniform", "left_to_right", "two_sided", "masked_lm", "prefix_argmax"]:
        options = {"replacer": replacer, "masked_lm": fillers["roberta"], "max_steps": 3}
        found = explain(model, encoding, "reagent", generator=seeded(), **options)
        assert (found.cost.forwards, 0) == METHODS["reagent"].expected(encoding, found.options, found.details)
    assert METHODS["reagent"].forecast(encoding, found.options) is None  # nobody knows before the runs have stopped


def test_special_tokens_are_left_alone_unless_told_otherwise(tiny):
    encoding = tiny.encode(PROMPT)
    special = ~encoding.attributable
    kept = explain(tiny, encoding, "reagent", generator=seeded(), max_steps=2).scores
    assert bool((kept[special] == 0).all())
    assert bool((kept[~special] > 0).all())
    both = explain(tiny, encoding, "reagent", generator=seeded(), max_steps=2, specials="perturb").scores
    assert bool((both > 0).all())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replacer": "two-sided"}, "Did you mean two_sided"),
        ({"pick": "best"}, "Choose sample or argmax"),
        ({"original": "no"}, "Choose allowed or excluded"),
        ({"candidates": 0}, "at least one candidate"),
        ({"ratio": 1.0}, "between 0 and 1"),
        ({"keep_share": 0.0}, "keep_share above 0"),
        ({"keep_tokens": -1}, "at least 0"),
        ({"runs": 0}, "at least 1"),
        ({"initial": "ones"}, "Choose logits, scores or zero"),
        ({"update": "product"}, "Choose logit or linear"),
        ({"average": "median"}, "Choose all or stopped"),
        ({"specials": "mask"}, "Choose keep or perturb"),
        ({"replacer": "masked_lm"}, "Give masked_lm="),
        ({"replacer": "masked_lm", "masked_lm": "/no/such/folder"}, "Cannot load"),
    ],
)
def test_bad_options_say_what_is_right(options, message):
    model = load_model("tiny-gpt2")
    with pytest.raises(AttribookError, match=message):
        explain(model, model.encode(SHORT), "reagent", generator=seeded(), **options)


# -- replacers -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def fillers(tmp_path_factory):
    """Folders with tiny random masked language models: RoBERTa with a byte-level tokenizer, BERT with WordPiece."""
    root = tmp_path_factory.mktemp("fillers")
    tokenizer = tiny_tokenizer(None)
    core = tokenizer.backend_tokenizer
    tokenizer.add_special_tokens({"mask_token": "<mask>", "sep_token": "</s>", "cls_token": "<s>"})
    core.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "##ing", "##s", ",", *"abcdefghijklmnopqrstuvwxyz"]
    words += ["the", "of", "in", "was", "my", "old", "young", "king", "queen", "home", "capital", "city", "stay"]
    pieces = Tokenizer(models.WordPiece({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pieces.decoder = decoders.WordPiece()
    pieces.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {f"{name}_token": f"[{name.upper()}]" for name in ["pad", "unk", "cls", "sep", "mask"]}
    wordpiece = PreTrainedTokenizerFast(tokenizer_object=pieces, model_max_length=64, **names)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        networks = {
            "roberta": RobertaForMaskedLM(
                RobertaConfig(vocab_size=len(tokenizer), max_position_embeddings=300, pad_token_id=2, **sizes)
            ),
            "bert": BertForMaskedLM(BertConfig(vocab_size=len(words), max_position_embeddings=64, **sizes)),
        }
        for name, network in networks.items():
            for parameter in network.parameters():
                if parameter.dim() > 1:
                    parameter.data.normal_(std=0.2)
            if name == "roberta":  # its mask is no token of the explained models
                network.lm_head.bias.data[tokenizer.mask_token_id] = -1e4
            network.save_pretrained(root / name)
    tokenizer.save_pretrained(root / "roberta")
    wordpiece.save_pretrained(root / "bert")
    return {name: str(root / name) for name in networks}


def some_places(encoding, rows=6):
    chosen = torch.rand(rows, len(encoding), generator=seeded(5)) < 0.4
    return chosen & encoding.attributable


@pytest.mark.parametrize("name", list(REPLACERS))
@pytest.mark.parametrize("original", ["allowed", "excluded"])
def test_replacers_keep_what_was_not_asked_for(tiny, fillers, name, original):
    encoding = tiny.encode(PROMPT)
    chosen = some_places(encoding, 40)
    u = torch.rand(chosen.shape, generator=seeded(6), dtype=torch.float64)
    places, masked_lm = encoding.attributable, fillers["roberta"]
    replacer = make_replacer(name, tiny, encoding, places, original=original, masked_lm=masked_lm)
    ids = replacer(chosen, u)
    assert ids.shape == chosen.shape
    assert torch.equal(ids[~chosen], encoding.ids.expand_as(ids)[~chosen])
    special = set(tiny.tokenizer.all_special_ids)
    if name != "prefix_argmax_ids":  # it may answer with anything, as the released code does
        assert not special & set(ids[chosen].tolist())
    if not name.startswith("prefix"):
        if original == "excluded":
            alone = name == "part_of_speech"  # a token alone in its class stays
            assert alone or not bool((ids == encoding.ids)[chosen].any())
        assert len(ids[chosen].unique()) > 10
    again = make_replacer(name, tiny, encoding, places, original=original, masked_lm=masked_lm)(chosen, u)
    assert torch.equal(ids, again)
    assert not bool((replacer(torch.zeros_like(chosen), u) != encoding.ids).any())


def frequencies(model, encoding, place, name, draws=20000, **options):
    """How often each token comes at a place, over evenly spaced numbers u: their shares are the probabilities."""
    replacer = make_replacer(name, model, encoding, encoding.attributable, **options)
    chosen = torch.zeros(draws, len(encoding), dtype=torch.bool)
    chosen[:, place] = True
    u = torch.full(chosen.shape, 0.5, dtype=torch.float64)
    u[:, place] = (torch.arange(draws) + 0.5) / draws
    ids = replacer(chosen, u)[:, place]
    return ids.bincount(minlength=len(model.tokenizer)).double() / draws


GRID = 2.1 / 20000  # evenly spaced numbers miss an interval's length by at most one of them at each end


def test_uniform_draws_all_but_special_tokens_alike(exact):
    encoding = exact.encode(SHORT)
    allowed = ordinary(exact)
    shares = frequencies(exact, encoding, 3, "uniform")
    expected = torch.zeros_like(shares)
    expected[allowed] = 1 / len(allowed)
    torch.testing.assert_close(shares, expected, atol=GRID, rtol=0)


@pytest.mark.parametrize("original", ["allowed", "excluded"])
def test_left_to_right_draws_the_models_own_prediction(exact, original):
    encoding = exact.encode(SHORT)
    for place in (2, len(encoding) - 1):
        p = last_logits(exact, encoding.ids[:place].tolist()).softmax(-1)
        expected = torch.zeros_like(p)
        expected[ordinary(exact)] = p[ordinary(exact)]
        if original == "excluded":
            expected[encoding.ids[place]] = 0
        expected /= expected.sum()
        shares = frequencies(exact, encoding, place, "left_to_right", original=original)
        torch.testing.assert_close(shares, expected, atol=GRID, rtol=0)
        best = frequencies(exact, encoding, place, "left_to_right", original=original, pick="argmax", draws=3)
        assert float(best[expected.argmax()]) == 1


@pytest.mark.parametrize("original", ["allowed", "excluded"])
def test_two_sided_weighs_candidates_by_the_text_to_their_right(exact, original):
    encoding = exact.encode(SHORT)
    ids = encoding.ids.tolist()
    for place in (2, 5, len(ids) - 1):
        p = last_logits(exact, ids[:place]).softmax(-1).tolist()
        allowed = [t for t in ordinary(exact) if original == "allowed" or t != ids[place]]
        best = sorted(allowed, key=lambda token: -p[token])[:6]
        joint = []
        for token in best:
            row, value = [*ids[:place], token, *ids[place + 1 :]], log(p[token])
            for right in range(place + 1, len(ids)):  # one token after the other, each from its own prefix
                value += float(last_logits(exact, row[:right]).log_softmax(-1)[ids[right]])
            joint.append(value)
        expected = torch.zeros(len(exact.tokenizer), dtype=torch.float64)
        expected[best] = torch.tensor(softmax(joint), dtype=torch.float64)
        shares = frequencies(exact, encoding, place, "two_sided", original=original, candidates=6)
        torch.testing.assert_close(shares, expected, atol=GRID, rtol=0)


def test_the_first_token_is_drawn_uniformly_where_nothing_stands_before_it():
    model = load_model("tiny-gpt2")
    encoding = model.encode(SHORT)
    for name in ("left_to_right", "two_sided"):
        torch.testing.assert_close(
            frequencies(model, encoding, 0, name), frequencies(model, encoding, 0, "uniform"), atol=0, rtol=0
        )


def test_one_token_prompts(family):
    model = load_model(f"tiny-{family}")
    found = explain(model, model.encode("the"), "reagent", generator=seeded(), max_steps=3)
    assert float(found.scores.sum()) == pytest.approx(1)


def test_part_of_speech_draws_from_the_tokens_own_class():
    from textblob.en import parser

    model = load_model("tiny-gpt2")
    encoding = model.encode("the old queen was in my home")
    for place, text in enumerate(encoding.tokens):
        tag = parser.find_tags([text.strip()])[0][1]
        shares = frequencies(model, encoding, place, "part_of_speech")
        drawable = shares.nonzero()[:, 0].tolist()
        assert {parser.find_tags([model.tokenizer.decode([t]).strip()])[0][1] for t in drawable} == {tag}
        assert shares[drawable].tolist() == pytest.approx([1 / len(drawable)] * len(drawable), abs=GRID)
    queen = frequencies(model, encoding, 2, "part_of_speech")
    words = {model.tokenizer.decode([t]) for t in queen.nonzero()[:, 0].tolist()}
    assert {" queen", " home", " river", " country", " day"} <= words
    assert not {" the", " was", " in", " from", " old"} & words


# -- masked language models ------------------------------------------------------------------------------------------


def test_masked_lm_fills_from_both_sides_and_maps_back(exact, fillers):
    encoding = exact.encode(WHOLE)
    filler = load_masked_lm(fillers["roberta"])
    tokenizer, words = filler.tokenizer, exact.tokenizer
    special = {*tokenizer.all_special_ids, *words.all_special_ids}
    chosen = some_places(encoding)
    u = torch.rand(chosen.shape, generator=seeded(6), dtype=torch.float64)
    replacer = make_replacer("masked_lm", exact, encoding, encoding.attributable, masked_lm=fillers["roberta"])
    found = replacer(chosen, u)
    assert replacer.forwards == len(chosen)
    # Both tokenizers here cut alike, so that the masked text is the prompt with the mask's number at the chosen places.
    own = [t for t, special in zip(encoding.ids.tolist(), ~encoding.attributable, strict=True) if not special]
    assert tokenizer(WHOLE, add_special_tokens=False)["input_ids"] == own
    shift = len(encoding) - len(own)
    for row in range(len(chosen)):
        ids = [1, *(tokenizer.mask_token_id if chosen[row, i + shift] else t for i, t in enumerate(own)), 2]
        with torch.no_grad():
            logits = filler.network(input_ids=torch.tensor([ids])).logits[0].double()
        for place in chosen[row].nonzero()[:, 0].tolist():
            spaced = encoding.tokens[place].startswith(" ")
            allowed = []
            for piece, token in words.get_vocab().items():
                text = words.convert_tokens_to_string([piece])
                whole = "\ufffd" not in text and text.strip() and token not in special
                if whole and text.startswith(" ") is spaced:
                    allowed.append(token)
            allowed.sort()
            p = logits[place - shift + 1].softmax(-1)[allowed].tolist()
            assert int(found[row, place]) == allowed[drawn(p, float(u[row, place]))]


def test_wordpiece_answers_keep_spaces_and_length(exact, fillers):
    encoding = exact.encode("the old queen was born in my home")
    chosen = encoding.attributable.expand(200, -1)
    u = torch.rand(chosen.shape, generator=seeded(6), dtype=torch.float64)
    ids = make_replacer("masked_lm", exact, encoding, encoding.attributable, masked_lm=fillers["bert"])(chosen, u)
    for place in encoding.attributable.nonzero()[:, 0].tolist():
        pieces = {exact.tokenizer.convert_ids_to_tokens(token) for token in ids[:, place].tolist()}
        texts = {exact.tokenizer.convert_tokens_to_string([piece]) for piece in pieces}
        assert {text.startswith(" ") for text in texts} == {encoding.tokens[place].startswith(" ")}
        assert len(texts) > 3 or not encoding.tokens[place].startswith(" ")


def test_masked_lm_argmax_and_its_complaints(fillers):
    model = load_model("tiny-gpt2")
    encoding = model.encode(SHORT)
    chosen = some_places(encoding)
    options = {"masked_lm": fillers["roberta"], "pick": "argmax"}
    replacer = make_replacer("masked_lm", model, encoding, encoding.attributable, **options)
    first, second = (replacer(chosen, torch.full(chosen.shape, v, dtype=torch.float64)) for v in (0.1, 0.9))
    assert torch.equal(first, second)
    spelled = model.encode("the <mask> king was old")
    with pytest.raises(AttribookError, match="spells out '<mask>'"):
        make_replacer("masked_lm", model, spelled, spelled.attributable, **options)(
            torch.arange(len(spelled))[None] == len(spelled) - 1, torch.zeros(1, len(spelled), dtype=torch.float64)
        )
    long = model.encode("the old king " * 30)
    with pytest.raises(AttribookError, match="window holds 64"):
        make_replacer("masked_lm", model, long, long.attributable, masked_lm=fillers["bert"])(
            torch.arange(len(long))[None] == 3, torch.zeros(1, len(long), dtype=torch.float64)
        )


def test_prefix_argmax_is_what_the_released_sampler_does(exact, fillers):
    encoding = exact.encode(SHORT)
    filler = load_masked_lm(fillers["roberta"])
    chosen = encoding.attributable[None]
    u = torch.zeros(chosen.shape, dtype=torch.float64)
    found = {
        name: make_replacer(name, exact, encoding, encoding.attributable, masked_lm=fillers["roberta"])(chosen, u)[0]
        for name in ("prefix_argmax", "prefix_argmax_ids")
    }
    for place in range(len(encoding)):
        own = int(encoding.ids[place])
        if place == 0 or not encoding.attributable[place]:
            assert int(found["prefix_argmax"][place]) == int(found["prefix_argmax_ids"][place]) == own
            continue
        prefix = exact.tokenizer.decode(encoding.ids[:place].tolist())
        ids = filler.tokenizer(prefix)["input_ids"][:-1]
        with torch.no_grad():
            answer = int(filler.network(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
        assert int(found["prefix_argmax_ids"][place]) == answer
        text = filler.tokenizer.decode([answer])
        assert int(found["prefix_argmax"][place]) == exact.tokenizer(text, add_special_tokens=False)["input_ids"][0]


def test_a_number_that_the_explained_model_has_not_is_refused(fillers, monkeypatch):
    model = load_model("tiny-gpt2")
    encoding = model.encode(SHORT)
    answer = torch.zeros(500)
    answer[len(model.tokenizer)] = 1
    monkeypatch.setattr("attribook.models.masked.MaskedLM.last", lambda *_: answer)
    with pytest.raises(AttribookError, match="does not have"):
        make_replacer("prefix_argmax_ids", model, encoding, encoding.attributable, masked_lm=fillers["roberta"])


def test_replaced_rows_reach_the_model(exact):
    # The replaced ids go through the engine as one batch: the same as each alone.
    encoding = exact.encode(SHORT)
    replacer = make_replacer("left_to_right", exact, encoding, encoding.attributable)
    ids = replacer(some_places(encoding), torch.rand(6, len(encoding), generator=seeded(), dtype=torch.float64))
    together = exact.outputs(encoding, Replace(ids))
    alone = [float(last_logits(exact, row.tolist()).softmax(-1)[encoding.target]) for row in ids]
    torch.testing.assert_close(together, torch.tensor(alone, dtype=torch.float64), atol=FORMULA, rtol=0)


# -- encoders --------------------------------------------------------------------------------------------------------


def slow_uniform_run(model, encoding, generator, steps):
    """One run on a classifier, every token replaced by any ordinary token; never stopped."""
    free = [place for place, here in enumerate(encoding.attributable.tolist()) if here]
    allowed, ids = ordinary(model), encoding.ids.tolist()

    def probability(row):
        with torch.no_grad():
            return float(model.network(input_ids=torch.tensor([row])).logits[0].softmax(-1)[encoding.target])

    def numbers():
        return torch.rand(len(ids), generator=generator, dtype=torch.float64).tolist()

    first = numbers()
    scores = {i: first[i] for i in free}
    for _ in range(steps):
        u, by, _ = numbers(), numbers(), numbers()
        chosen = {i for i in free if u[i] < 0.3}
        row = [allowed[int(by[i] * len(allowed))] if i in chosen else ids[i] for i in range(len(ids))]
        drop = probability(ids) - probability(row)
        for i in free:
            signed = drop if i in chosen else -drop
            scores[i] += log((1 + signed) / (1 - signed))
    final = [0.0] * len(ids)
    for i, score in zip(free, softmax([scores[i] for i in free]), strict=True):
        final[i] = score
    return final


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_on_an_encoder(name, monkeypatch):
    model = load_model(f"tiny-{name}", dtype="float64")
    encoding = model.encode(SHORT)
    monkeypatch.setattr(
        "attribook.attribution.reagent.among_top", lambda *_: lambda logits: logits[:, 0] != logits[:, 0]
    )
    seeds = torch.randint(2**62, (2,), generator=seeded(7)).tolist()
    slow = [slow_uniform_run(model, encoding, seeded(seed), 6) for seed in seeds]
    found = explain(model, encoding, "reagent", generator=seeded(7), runs=2, max_steps=6, replacer="uniform")
    torch.testing.assert_close(found.scores, torch.tensor(slow, dtype=torch.float64).mean(0), atol=FORMULA, rtol=0)
    assert found.converged is False
    with pytest.raises(AttribookError, match="Choose replacer=uniform"):
        explain(model, encoding, "reagent", generator=seeded())
