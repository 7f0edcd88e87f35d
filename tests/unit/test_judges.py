"""Judges: a tiny model of this process, and a real server on loopback that misbehaves in every way."""

import json
import threading
import time
from contextlib import contextmanager, suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from attribook.errors import AttribookError
from attribook.metrics import questions
from attribook.metrics.judge_server import ServerJudge, seconds_in
from attribook.metrics.judges import LocalJudge
from attribook.metrics.questions import lines, question
from attribook.models.load import load_model

WORDS = ["capital", "Japan"]
KEY = "test-key-of-no-account"


# -- local -----------------------------------------------------------------------------------------------------------


def test_the_prompt_has_the_words_or_says_that_there_are_none():
    assert lines(WORDS).endswith("\ncapital Japan")
    assert lines([]).endswith(f"\n{questions.NO_WORDS}")
    assert question(WORDS).startswith(lines(WORDS))


def first_line(model, tokens):
    return model.tokenizer.decode(tokens, skip_special_tokens=True).partition("\n")[0].strip()


def test_a_local_judge_answers_greedily(causal):
    judge = LocalJudge(causal, max_new_tokens=5)
    found = judge.ask(WORDS, candidates=3)
    ids = torch.tensor(causal.tokenizer(lines(WORDS))["input_ids"])
    first = first_line(causal, causal.engine.greedy(ids, 5, judge.stops))
    assert found.text == first
    assert len(found.candidates) == 3
    assert found.candidates[0] == first
    other = causal.engine.prompt(ids)[0].topk(2).indices[1:]
    rest = [] if int(other) in judge.stops else causal.engine.greedy(torch.cat([ids, other]), 4, judge.stops)
    assert found.candidates[1] == first_line(causal, [int(other), *rest])


def test_a_local_judge_may_use_the_chat_template():
    model = load_model("tiny-llama")
    with pytest.raises(AttribookError, match="no chat template"):
        LocalJudge(model, asking="chat")
    model.tokenizer.chat_template = "{% for m in messages %}[{{ m['content'] }}]{% endfor %}>"
    seen = []
    inner = model.engine.prompt
    model.engine.prompt = lambda ids, known=None: seen.append(ids) or inner(ids, known)
    LocalJudge(model, asking="chat", max_new_tokens=1).ask(WORDS)
    assert model.tokenizer.decode(seen[-1]).endswith(f"[{question(WORDS)}]>")


@pytest.mark.parametrize(
    ("asking", "says", "answer"),
    [
        ("plain", ["old king\nqueen"], "old king"),
        ("plain", ["old", "</s>"], "old"),
        ("plain", ["\nqueen"], ""),  # the line has no other word
        ("chat", ["\nqueen\nking"], "queen"),
        ("chat", ["</s>"], ""),
    ],
)
def test_an_answer_ends_with_a_stop_token_or_its_line(asking, says, answer):
    model = load_model("tiny-llama")
    model.tokenizer.chat_template = "{% for m in messages %}[{{ m['content'] }}]{% endfor %}>"
    sequence = [token for text in says for token in model.tokenizer(text, add_special_tokens=False)["input_ids"]]
    judge = LocalJudge(model, asking=asking, max_new_tokens=20)
    start = len(judge._ids(WORDS))

    def prompt(ids, known=None):
        logits = torch.zeros(len(model.tokenizer))
        if len(ids) >= start:  # not what all questions begin with
            logits[sequence[len(ids) - start]] = 1
        return logits, None

    model.engine.prompt = prompt
    found = judge.ask(WORDS)
    assert (found.text, found.status) == (answer, "ok")


def test_what_all_questions_begin_with_is_encoded_once(causal):
    judge, spent = LocalJudge(causal, max_new_tokens=1), []
    for words in (WORDS, ["king"]):
        before = causal.engine.counter.tokens
        found = judge.ask(words, candidates=3)
        spent.append(causal.engine.counter.tokens - before)
        alone = causal.engine.prompt(torch.tensor(causal.tokenizer(lines(words))["input_ids"]))[0].topk(3).indices
        assert found.candidates == tuple(first_line(causal, [int(token)]) for token in alone)
    whole = len(judge._ids(["king"]))
    shared, known = judge._shared
    assert spent[1] == (whole if known is None else whole - len(shared))  # none with a window shorter than the prefix
    assert len(shared) > 20


def test_an_answer_of_two_words_begins_like_the_whole_line(causal):
    for words in (WORDS, ["king"], []):
        whole, short = (LocalJudge(causal, max_words=most).ask(words, 3).candidates for most in (0, 2))
        assert tuple(" ".join(line.split()[:2]) for line in whole) == short


def test_local_judges_are_refused_where_they_cannot_judge():
    with pytest.raises(AttribookError, match="no causal language model"):
        LocalJudge(load_model("tiny-bert"))
    with pytest.raises(AttribookError, match="Unknown way of asking 'loud'"):
        LocalJudge(load_model("tiny-gpt2"), asking="loud")
    with pytest.raises(AttribookError, match="at least one token"):
        LocalJudge(load_model("tiny-gpt2"), max_new_tokens=0)
    with pytest.raises(AttribookError, match="context window of tiny-gpt2, 1024"):
        LocalJudge(load_model("tiny-gpt2")).ask(["king"] * 600)


# -- server ----------------------------------------------------------------------------------------------------------


def good(text="Tokyo", **more):
    return 200, json.dumps({"choices": [{"message": {"content": text}, **more}]}), {}


class Server:
    """Plays its replies `(code, body, headers)` one after the other, then the last again; a number is a pause."""

    def __init__(self, replies):
        self.replies, self.seen = list(replies), []

    def handle(self, request):
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        self.seen.append({"path": request.path, "body": body, "authorization": request.headers.get("Authorization")})
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, float):
            time.sleep(reply)
            reply = good()
        if reply is None:
            return  # hangs up without an answer
        code, text, headers = reply
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(text.encode())


@contextmanager
def serving(*replies):
    played = Server(replies)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            with suppress(BrokenPipeError, ConnectionResetError):  # the client gave up waiting
                played.handle(self)

        do_GET = do_POST

        def log_message(self, *given):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", played
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def judge_at(url, **settings):
    slept = []
    settings = {"timeout": 5.0, "per_minute": 0, "key": KEY, **settings}
    return ServerJudge("judge-model", url, sleep=slept.append, **settings), slept


def test_a_good_answer():
    with serving(good(" Tokyo.\nBecause it is the capital.")) as (url, server):
        judge, slept = judge_at(url + "/")
        found = judge.ask(WORDS)
    assert (found.text, found.status, found.candidates) == ("Tokyo.", "ok", None)
    assert not slept
    (seen,) = server.seen
    assert seen["path"] == "/v1/chat/completions"
    assert seen["authorization"] == f"Bearer {KEY}"
    assert seen["body"]["messages"] == [{"role": "user", "content": question(WORDS)}]
    assert (seen["body"]["model"], seen["body"]["temperature"]) == ("judge-model", 0)
    assert "logprobs" not in seen["body"]
    assert judge.name == f"judge-model@{url}"


def test_candidates_are_the_most_probable_first_tokens():
    top = [{"token": " Kyoto", "logprob": -2.0}, {"token": "Tokyo", "logprob": -0.1}, {"token": "Ky", "logprob": -3}]
    with serving(good(logprobs={"content": [{"top_logprobs": top}]}), good(), good(logprobs={"tokens": ["Tokyo"]})) as (
        url,
        server,
    ):
        judge, _ = judge_at(url)
        assert judge.ask(WORDS, 2).candidates == ("Tokyo", "Kyoto")
        assert judge.ask(WORDS, 5).candidates is None  # a server that tells none
        assert judge.ask(WORDS, 5).candidates is None  # a server that tells them in another form
    assert server.seen[0]["body"]["top_logprobs"] == 2


@pytest.mark.parametrize(
    ("failures", "waits"),
    [
        ([(429, "", {"Retry-After": "7"})], [7.0]),
        ([(429, "slow down", {})], [1.0]),
        ([(500, "oops", {}), (503, "", {}), (502, "<html>", {})], [1.0, 2.0, 4.0]),
        ([(500, "", {"Retry-After": "soon"})], [1.0]),
        ([(200, "{not json", {})], [1.0]),
        ([(200, '{"choices": []}', {}), (200, "[]", {})], [1.0, 2.0]),
        ([(200, '{"error": {"message": "overloaded"}}', {})], [1.0]),
        ([(200, '{"choices": [{"message": {"content": 7}}]}', {})], [1.0]),
        ([None], [1.0]),
    ],
)
def test_what_may_pass_is_tried_again(failures, waits):
    with serving(*failures, good()) as (url, server):
        judge, slept = judge_at(url)
        found = judge.ask(WORDS)
    assert (found.text, found.status) == ("Tokyo", "ok")
    assert slept == waits
    assert len(server.seen) == judge.requests == len(failures) + 1


def test_a_timeout_is_tried_again_and_named():
    with serving(0.6, good()) as (url, _):
        judge, slept = judge_at(url, timeout=0.2)
        assert judge.ask(WORDS).text == "Tokyo"
        assert slept == [1.0]
    with serving(good(), 0.6) as (url, _):
        judge, _ = judge_at(url, timeout=0.2, tries=2)
        assert judge.ask(WORDS).status == "ok"
        found = judge.ask(WORDS)
    assert (found.text, found.status) == ("", "timeout")


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ((429, "", {}), "rate limited"),
        ((500, "", {}), "server error 500"),
        ((200, "<html>busy</html>", {}), "malformed answer"),
        ((200, "[" * 20000, {}), "malformed answer"),
    ],
)
def test_what_does_not_pass_is_a_named_failure(reply, status):
    with serving(reply) as (url, server):
        judge, slept = judge_at(url, tries=3)
        found = judge.ask(WORDS)
    assert (found.text, found.status) == ("", status)
    assert len(server.seen) == 3
    assert slept == [1.0, 2.0]  # nobody waits after the last try


def test_nobody_waits_for_hours():
    with serving((429, "", {"Retry-After": "3600"})) as (url, server):
        judge, slept = judge_at(url)
        assert judge.ask(WORDS).status == "rate limited"
    assert not slept
    assert len(server.seen) == 1


@pytest.mark.parametrize("text", ["", "  \n ", None])
def test_an_empty_answer_is_named(text):
    with serving(good(text)) as (url, server):
        judge, _ = judge_at(url)
        assert judge.ask(WORDS).status == "empty answer"
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ((401, '{"error": "wrong key"}', {}), "refuses the key .401.. Set .OPENAI_API_KEY"),
        ((403, "", {}), "refuses the key"),
        ((404, "no such model", {}), "does not take the request for judge-model .404.: no such model"),
        ((400, "logprobs are not allowed", {}), "logprobs are not allowed"),
        ((302, "", {"Location": "http://127.0.0.1:9/elsewhere"}), "has moved .302."),
    ],
)
def test_what_no_retry_mends_is_an_error_that_does_not_show_the_key(reply, message):
    with serving(reply) as (url, server):
        judge, slept = judge_at(url)
        with pytest.raises(AttribookError, match=message) as caught:
            judge.ask(WORDS)
    assert len(server.seen) == 1
    assert not slept
    assert KEY not in str(caught.value) + repr(judge) + judge.name
    assert caught.value.__cause__ is None


def test_no_server_there_is_an_error_at_once_and_a_failure_later():
    with serving(good()) as (url, _):
        judge, _ = judge_at(url, tries=2)
        judge.ask(WORDS)
    assert judge.ask(WORDS).status == "no connection"  # it was there before
    other, _ = judge_at(url, tries=2)
    with pytest.raises(AttribookError, match=r"No judge answers at .*no connection"):
        other.ask(WORDS)


def test_requests_keep_a_pace():
    with serving(good()) as (url, _):
        judge, slept = judge_at(url, per_minute=2)
        for _ in range(3):
            judge.ask(WORDS)
    assert len(slept) == 2  # nobody waits before the first
    assert all(25 < wait <= 30 for wait in slept)


def test_retry_after_may_be_a_date():
    assert 50 < seconds_in(formatdate(time.time() + 60, usegmt=True)) <= 60
    assert seconds_in(formatdate(time.time() - 60, usegmt=True)) == 0
    assert seconds_in("-3") == 0
    assert seconds_in("soon") is None
    assert seconds_in(None) is None


def test_address_and_key_come_from_the_environment(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(AttribookError, match=r"Set .OPENAI_BASE_URL"):
        ServerJudge.from_environment("m")
    with serving(good()) as (url, server):
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        judge = ServerJudge.from_environment("m", per_minute=0)
        assert judge.ask(WORDS).text == "Tokyo"
        monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
        assert ServerJudge.from_environment("m", per_minute=0).ask(WORDS).text == "Tokyo"
    assert [seen["authorization"] for seen in server.seen] == [None, f"Bearer {KEY}"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"base_url": "file:///etc/hosts"}, "is not an address"),
        ({"base_url": "host/v1"}, "is not an address"),
        ({"key": "a\nb"}, "characters that no key has"),
        ({"key": "schlüssel"}, "characters that no key has"),
        ({"tries": 0}, "at least one try"),
        ({"timeout": 0.0}, "timeout above 0"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(AttribookError, match=message):
        ServerJudge("m", **{"base_url": "http://127.0.0.1:9/v1", **settings})


def test_an_answer_that_trickles_in_meets_the_whole_timeout():
    with serving((200, "x" * 100, {})) as (url, played):
        send = played.handle

        def slowly(request):
            write = request.wfile.write

            def each(text):
                for byte in text[-100:] if text.endswith(b"x" * 100) else [text]:
                    write(bytes([byte]) if isinstance(byte, int) else byte)
                    request.wfile.flush()
                    time.sleep(0.05)

            request.wfile.write = each
            send(request)

        played.handle = slowly
        with pytest.raises(AttribookError, match=r"No judge answers .*timeout"):
            judge_at(url, timeout=0.5, tries=1)[0].ask(WORDS)


def test_an_answer_without_end_is_not_read_to_its_end():
    with serving(good(), (200, "x" * (2**20 + 1), {})) as (url, _):
        judge, _ = judge_at(url, tries=1)
        assert judge.ask(WORDS).status == "ok"
        assert judge.ask(WORDS).status == "answer too long"


def test_a_server_that_repeats_the_key_does_not_get_it_printed():
    with serving((400, f"bad header: Bearer {KEY}\x1b[31m red", {})) as (url, _), pytest.raises(AttribookError) as told:
        judge_at(url)[0].ask(WORDS)
    assert KEY not in str(told.value)
    assert "[key]" in str(told.value)
    assert "\x1b" not in str(told.value)


@pytest.mark.parametrize("after", ["nan", "Mon, 32 Foo 99999 00:00:00 GMT", "inf"])
def test_a_wait_that_is_no_number_is_none_or_too_long(after):
    found = seconds_in(after)
    assert found is None or found == float("inf")


def test_half_of_a_character_is_a_malformed_answer():
    body = '{"choices": [{"message": {"content": "\\ud800"}}]}'
    with serving(good(), (200, body, {})) as (url, _):
        judge, _ = judge_at(url, tries=1)
        judge.ask(WORDS)
        assert judge.ask(WORDS).status == "malformed answer"


@pytest.mark.parametrize(
    "url", ["http://", "http://[::1", "http://host:no/v1", "http://a b/v1", "ftp://host", "https:/x"]
)
def test_malformed_addresses_are_refused(url):
    with pytest.raises(AttribookError, match="is not an address"):
        ServerJudge("m", url)
