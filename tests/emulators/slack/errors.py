"""How the two sides refuse each other: a call of the Web API, a delivery to the app."""

from __future__ import annotations


class SlackError(Exception):
    """One of Slack's error names, with what else the answer holds."""

    def __init__(self, error: str, *messages: str, **more: object) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages
        self.more = more

    def payload(self) -> dict[str, object]:
        answer: dict[str, object] = {"ok": False, "error": self.error, **self.more}
        if self.messages:
            answer["response_metadata"] = {"messages": list(self.messages)}
        return answer


class NotDelivered(Exception):
    """The app did not take it. `final` tells that it asked for no repetition."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final
