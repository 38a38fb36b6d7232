"""What the API's failures mean for a fine-tuning job. Its own words are told only where they help.

They are left out of what a rejected key brings: they would quote the key.
"""

from __future__ import annotations

import json

import httpx
import openai

from bot.training import TrainingFailed, TrainingRefused

CLIENT_ERRORS = (openai.OpenAIError, httpx.HTTPError, json.JSONDecodeError)
_LONGEST = 300


def may_pass(exc: Exception) -> bool:
    """Tell whether the same request may do better a little later."""
    if isinstance(exc, openai.APIStatusError):
        return exc.code != "insufficient_quota" and (
            exc.status_code in {408, 409, 429} or exc.status_code >= 500
        )
    return isinstance(exc, openai.APIConnectionError | httpx.TransportError)


_REFUSALS = {
    401: (
        "The API rejected the key (401). Put the right one into the environment variable that the persona's "
        "api_key_env names: OPENAI_API_KEY unless you set another."
    ),
    402: "The account has no quota left (402). Check its plan and billing.",
    403: "The key may not do this (403). Check its project and its permissions.",
    404: "The API does not know it (404). Check the persona's base_url, and whether it offers fine-tuning.",
    413: "The data is too large for the API (413). Make a smaller data set with --limit.",
}


def tuning_error(exc: Exception, what: str) -> TrainingRefused | TrainingFailed:
    """Return what an error of the client means, when it is known what was being done."""
    if isinstance(exc, openai.APIStatusError):
        if exc.code == "insufficient_quota":
            return TrainingRefused(
                f"While {what}: the account has no quota left. Check its plan and billing."
            )
        if not may_pass(exc):
            told = (
                _REFUSALS.get(exc.status_code) or f"The API said ({exc.status_code}): {one_line(_said(exc))}"
            )
            return TrainingRefused(f"While {what}: {told}")
        return TrainingFailed(
            f"While {what}: the API failed ({exc.status_code}). Go on later with --resume.", resumable=True
        )
    if may_pass(exc):
        return TrainingFailed(
            f"While {what}: the API cannot be reached. Go on later with --resume.", resumable=True
        )
    return TrainingFailed(
        f"While {what}: the server sent what is no answer ({type(exc).__name__}). Check the persona's "
        "base_url.",
        resumable=True,
    )


def _said(exc: openai.APIStatusError) -> str:
    """Return the words of the API alone; the client puts the whole body into its message."""
    said = exc.body.get("message") if isinstance(exc.body, dict) else None
    return said if isinstance(said, str) else "nothing that can be read"


def one_line(text: str) -> str:
    """Return what the API said, on one line, not too long."""
    said = " ".join(text.split())
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"
