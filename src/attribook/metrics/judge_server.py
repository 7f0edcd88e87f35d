"""A judge behind any server that speaks OpenAI's chat completions.

One POST with retries does not need another dependency, so this is the standard library's client. Redirects are not
followed: the client would take the key along to another host. The key is shown nowhere.
"""

import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from attribook.errors import AttribookError
from attribook.metrics.base import OK
from attribook.metrics.judges import JudgeAnswer
from attribook.metrics.questions import URL_VARIABLE, question

KEY_VARIABLE = "OPENAI_API_KEY"  # the name that other clients know
RETRIED = {408, 425, 429, 500, 502, 503, 504, 529}
LARGEST, CHUNK = 2**20, 2**16  # bytes of an answer that are read, in all and at once
MALFORMED, EMPTY, TIMEOUT, UNREACHED = "malformed answer", "empty answer", "timeout", "no connection"
TOO_LONG = "answer too long"
RATE_LIMITED, SERVER_ERROR = "rate limited", "server error"


class Refusal(Exception):
    """One request failed in a way that may pass; after how many seconds, if the server said so."""

    def __init__(self, status: str, after: float | None = None) -> None:
        super().__init__(status)
        self.status, self.after = status, after


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *given: Any, **named: Any) -> None:
        return None


@dataclass
class ServerJudge:
    """A model on a server, asked at temperature 0.

    A request that meets a busy or broken server, a timeout or an answer that is none is tried again, up to `tries`
    times: after as long as the server asks for (Retry-After), else after 1, 2, 4, ... seconds, never more than
    `longest_wait`. What still fails is an answer with a status that names the reason. `per_minute` limits requests,
    retries included; 0 for no limit. Candidates are the server's most probable first tokens (`top_logprobs`), which
    may be pieces of words; None where it does not tell them.
    Raises: AttribookError for what no retry mends: a wrong key, model or address, or no server there at all.
    """

    model: str
    base_url: str
    key: str = field(default="", repr=False)
    timeout: float = 60.0
    tries: int = 5
    per_minute: float = 60.0
    longest_wait: float = 120.0
    max_tokens: int = 16
    sleep: Callable[[float], object] = field(default=time.sleep, repr=False)
    requests: int = field(default=0, init=False)  # retries included
    reached: bool = field(default=False, init=False)  # whether the server has ever answered
    last: float = field(default=-1e9, init=False, repr=False)  # when the last request began

    def __post_init__(self) -> None:
        self.base_url, self.key = self.base_url.strip().rstrip("/"), self.key.strip()
        if not is_address(self.base_url):
            raise AttribookError(f"The judge's address {self.base_url!r} is not an address as in https://host/v1.")
        if not (self.key.isascii() and self.key.isprintable()):
            raise AttribookError(f"The judge's key has characters that no key has. Set ${KEY_VARIABLE} again.")
        if self.tries < 1 or self.timeout <= 0:
            raise AttribookError("A judge needs at least one try and a timeout above 0 seconds.")

    @classmethod
    def from_environment(cls, model: str, **settings: Any) -> "ServerJudge":
        """The server that $OPENAI_BASE_URL names, with the key in $OPENAI_API_KEY if there is one."""
        url = os.environ.get(URL_VARIABLE)
        if not url:
            raise AttribookError(f"Set ${URL_VARIABLE} to the judge's address, as in https://host/v1.")
        return cls(model, url, os.environ.get(KEY_VARIABLE, ""), **settings)

    @property
    def name(self) -> str:
        """Identifies the judge in a row's key."""
        return f"{self.model}@{self.base_url}"

    def ask(self, words: Sequence[str], candidates: int = 1) -> JudgeAnswer:
        """See `Judge`."""
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": question(words)}],
            "temperature": 0,
            "max_tokens": self.max_tokens,
        }
        if candidates > 1:
            body |= {"logprobs": True, "top_logprobs": candidates}
        status = ""
        for attempt in range(self.tries):
            try:
                return answer_in(self._post(body), candidates)
            except Refusal as refusal:
                status = refusal.status
                wait = 2.0**attempt if refusal.after is None else refusal.after
            if wait > self.longest_wait:
                break
            if attempt + 1 < self.tries:
                self.sleep(wait)
        if not self.reached:
            raise AttribookError(f"No judge answers at {self.base_url} ({status}). Check ${URL_VARIABLE}.")
        return JudgeAnswer("", status=status)

    def _post(self, body: dict[str, Any]) -> bytes:
        """The bytes of a good answer."""
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {self.key}"} if self.key else {})}
        request = urllib.request.Request(f"{self.base_url}/chat/completions", json.dumps(body).encode(), headers)
        self._keep_pace()
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=self.timeout) as response:
                found = self._content(response)
        except urllib.error.HTTPError as error:
            self.reached = True
            raise self._refused(error) from None  # the request, which an error would show, holds the key
        except (OSError, http.client.HTTPException) as error:
            slow = isinstance(getattr(error, "reason", error), TimeoutError)
            raise Refusal(TIMEOUT if slow else UNREACHED) from None
        self.reached = True
        return found

    def _content(self, response: http.client.HTTPResponse) -> bytes:
        """All of an answer. Raises: Refusal for one that is too long, or that trickles in for longer than `timeout`.

        A socket's timeout counts from each byte to the next; who sends one now and then would never meet it.
        """
        found, end = b"", time.monotonic() + self.timeout
        while part := response.read1(CHUNK):
            found += part
            if len(found) > LARGEST:
                raise Refusal(TOO_LONG)
            if time.monotonic() > end:
                raise Refusal(TIMEOUT)
        return found

    def _scrubbed(self, text: str) -> str:
        """A server's words without the key, which some repeat, on one line of printable letters."""
        hidden = text.replace(self.key, "[key]") if self.key else text
        return "".join(letter if letter.isprintable() else " " for letter in hidden).strip()

    def _keep_pace(self) -> None:
        if self.per_minute > 0:
            early = self.last + 60 / self.per_minute - time.monotonic()
            if early > 0:
                self.sleep(early)
        self.last = time.monotonic()
        self.requests += 1

    def _refused(self, error: urllib.error.HTTPError) -> Exception:
        """What an answer other than 200 means: a reason to try again, or an error that says what to mend."""
        if error.code in RETRIED:
            status = RATE_LIMITED if error.code == 429 else f"{SERVER_ERROR} {error.code}"
            return Refusal(status, seconds_in(error.headers.get("Retry-After")))
        if error.code in (401, 403):
            return AttribookError(f"The judge at {self.base_url} refuses the key ({error.code}). Set ${KEY_VARIABLE}.")
        if 300 <= error.code < 400:
            return AttribookError(f"The judge at {self.base_url} has moved ({error.code}). Set ${URL_VARIABLE} anew.")
        try:
            told = error.read(300).decode(errors="replace")
        except (OSError, http.client.HTTPException):
            told = ""
        return AttribookError(
            f"The judge at {self.base_url} does not take the request for {self.model} ({error.code}): "
            f"{self._scrubbed(told)}"
        )


def may_pass(status: str) -> bool:
    """Whether a status says that the server was out of order, and nothing of its answer."""
    return status in (TIMEOUT, UNREACHED, RATE_LIMITED) or status.startswith(SERVER_ERROR)


def is_address(text: str) -> bool:
    """Whether a text is an address of a server, as in https://host/v1."""
    try:
        parts = urllib.parse.urlsplit(text)
        port = parts.port
    except ValueError:  # brackets, ports that are no numbers
        return False
    plain = text.isascii() and text.isprintable() and not any(letter.isspace() for letter in text)
    return plain and parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0


def seconds_in(after: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or as a date; None where it says nothing."""
    if after is None:
        return None
    try:
        seconds = float(after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(after).timestamp() - time.time()
        except (ValueError, OverflowError, OSError):
            return None
    return None if seconds != seconds else max(0.0, seconds)


def answer_in(content: bytes, candidates: int) -> JudgeAnswer:
    """The answer in a response's bytes. Raises: Refusal where they hold none."""
    try:
        choice = json.loads(content)["choices"][0]
        text = choice["message"]["content"] or ""
        if not isinstance(text, str):
            raise TypeError(text)
        text.encode()  # half of a character, which JSON can spell, is in no file's encoding
    except (ValueError, LookupError, TypeError, RecursionError, AttributeError):
        raise Refusal(MALFORMED) from None
    text = text.strip().partition("\n")[0].strip()
    likely = first_tokens(choice)[:candidates] if candidates > 1 else ()
    return JudgeAnswer(text, likely or None, OK if text else EMPTY)


def first_tokens(choice: dict[str, Any]) -> tuple[str, ...]:
    """The most probable first tokens, the best first; none where a server has no or other log-probabilities."""
    try:
        listed = choice["logprobs"]["content"][0]["top_logprobs"]
        ranked = sorted(listed, key=lambda entry: -float(entry["logprob"]))
        found = tuple(str(entry["token"]).strip() for entry in ranked)
        "".join(found).encode()
        return found
    except (ValueError, LookupError, TypeError, AttributeError):
        return ()
