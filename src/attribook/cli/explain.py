"""The command that explains one prediction: `attribook explain`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from attribook.cli.files import refuse_no_file
from attribook.cli.output import Json, as_json_text, out
from attribook.errors import AttribookError
from attribook.files import write_whole

UNCONVERGED = "its own test of being done was not met, so read its scores with care (details: --json)"


def explain(
    prompt: Annotated[str, typer.Argument(help="The text whose next token is explained.")],
    model: Annotated[str, typer.Option(help="A known name, a folder, or a hub id.")] = "smollm2-135m",
    method: Annotated[str, typer.Option(help="See `attribook methods`.")] = "occlusion",
    target: Annotated[str | None, typer.Option(help="Explain this word instead of the prediction.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="An option of the method, name=value.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of random methods.")] = 0,
    as_json: Json = False,
    html: Annotated[Path | None, typer.Option(help="Write one HTML page to this file.")] = None,
) -> None:
    """Explain one prediction, coloured by token."""
    from attribook.attribution.registry import find_method

    found = find_method(method)
    options = found.resolve(found.parsed(option or []))
    refuse_prompt(prompt)  # before a model is loaded for nothing
    if html is not None:
        refuse_no_file(html)

    import torch
    from rich.text import Text  # rich reads [b] and :warning: in other strings as markup
    from tqdm import tqdm

    from attribook.models.load import load_model
    from attribook.show.heatmap import page
    from attribook.show.terminal import coloured_text
    from attribook.show.tokens import display_tokens, label, labels

    explained = load_model(model)
    encoding = explained.encode(prompt, target=target)
    chance = torch.Generator().manual_seed(seed)
    if reason := found.unfit(explained):
        raise AttribookError(reason)
    with tqdm(
        total=found.forecast(encoding, options), desc=method, unit="forward", disable=None, leave=False
    ) as bar:  # silent without a terminal
        explained.engine.on_progress = bar.update
        attribution = found(explained, encoding, generator=chance, **options)
    scores = attribution.scores.tolist()
    answer = {
        "model": model, "prompt": prompt, "tokens": encoding.tokens, "ids": encoding.ids.tolist(), "scores": scores,
        "attributable": encoding.attributable.tolist(), "template": encoding.template.tolist(),
        "target": encoding.target_text, "target_id": encoding.target, "probability": encoding.probability,
        "method": method,
        "options": attribution.options, "seed": seed, "converged": attribution.converged,
        "cost": vars(attribution.cost), "details": dict(attribution.details), "notes": encoding.notes,
        "checks": vars(explained.sound) if explained.sound else None,
    }  # fmt: skip
    if attribution.converged is False:
        print(f"attribook: {method} did not converge: {UNCONVERGED}", file=sys.stderr)
    own = (~encoding.template).nonzero()[:, 0].tolist()  # a template's words are not the user's
    tokens, shown = [encoding.tokens[i] for i in own], [scores[i] for i in own]
    number = f" (token {encoding.target})" if "\ufffd" in encoding.target_text else ""  # bytes that are no character
    target_label = label(encoding.target_text) + number
    if html is not None:
        (target_shown,) = display_tokens([encoding.target_text])
        facts = {
            "model": model, "predicts": f"'{target_shown}'{number}, p = {encoding.probability:.3f}",
            "method": method, **attribution.options,
            **({"converged": False} if attribution.converged is False else {}),
        }  # fmt: skip
        refuse_no_file(html)
        write_whole(html, page(f"Why '{target_label}'?", facts, tokens, shown, method))
    if as_json:
        print(as_json_text(answer))
    elif html is None:
        out.print(coloured_text(tokens, shown))
        out.print(Text(f"→ {target_label} (p = {encoding.probability:.3g})"))
        ranked = sorted(zip(labels(tokens), shown, strict=True), key=lambda pair: -abs(pair[1]))[:5]
        strongest = ", ".join(f"{token} {score:+.3g}" for token, score in ranked)
        out.print(Text(f"{method}, strongest: {strongest}"))


def refuse_prompt(prompt: str) -> None:
    """Raises: AttribookError for a text that cannot be explained."""
    if not prompt.strip():
        raise AttribookError("The prompt is empty. Give at least one word to attribute the prediction to.")
    if any("\ud800" <= letter <= "\udfff" for letter in prompt):
        raise AttribookError("The prompt has bytes that are no UTF-8 text. Give it in UTF-8.")
