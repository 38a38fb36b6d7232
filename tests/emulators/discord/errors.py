"""Refusals as Discord's API words them: HTTP status, its own code, a message, and the fields at fault."""

from __future__ import annotations

from typing import Any

Payload = dict[str, Any]

_MESSAGES = {
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10011: (404, "Unknown Role"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    20012: (403, "You are not authorized to perform this action on this application"),
    40060: (400, "Interaction has already been acknowledged."),
    30034: (400, "Max number of daily application command creates has been reached (200)"),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50021: (403, "Cannot execute action on a system message"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50033: (400, "Invalid Recipient(s)"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    160002: (400, "Cannot reply without permission to read message history"),
    160004: (400, "A thread has already been created for this message"),
}


class ApiError(Exception):
    """What a request gets instead of an answer."""

    def __init__(self, code: int, *, errors: Payload | None = None) -> None:
        self.status, self.message = (400, "Invalid Form Body") if code == 50035 else _MESSAGES[code]
        self.code = code
        self.errors = errors
        super().__init__(f"{self.status} {self.code} {self.message} {errors or ''}".rstrip())

    def payload(self) -> Payload:
        body: Payload = {"message": self.message, "code": self.code}
        return body | {"errors": self.errors} if self.errors else body


class Plain(ApiError):
    """A refusal of the HTTP layer: `401: Unauthorized` and the like, with the code 0."""

    def __init__(self, status: int, reason: str) -> None:
        Exception.__init__(self, f"{status}: {reason}")
        self.status, self.code, self.message, self.errors = status, 0, f"{status}: {reason}", None


def invalid(path: str, code: str, message: str) -> ApiError:
    """Return the refusal of one field: `components.0.label`, `BASE_TYPE_MAX_LENGTH`, a sentence."""
    nested: Payload = {"_errors": [{"code": code, "message": message}]}
    for key in reversed(path.split(".")):
        nested = {key: nested}
    return ApiError(50035, errors=nested)


def checked_length(path: str, value: object, *, most: int, least: int = 0) -> None:
    """Refuse what is no text, or is one of a wrong length."""
    if not isinstance(value, str):
        raise invalid(path, "STRING_TYPE_CONVERT", "Could not interpret as string.")
    if len(value) > most:
        raise invalid(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
    if len(value) < least:
        wording = "This field is required" if not value else f"Must be {least} or more in length."
        raise invalid(path, "BASE_TYPE_REQUIRED" if not value else "BASE_TYPE_MIN_LENGTH", wording)
