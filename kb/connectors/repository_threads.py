"""What people write beside a repository, as Markdown: a post, and what was said under it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kb.documents import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What one person wrote; `role` says what it is where it is more than a comment."""

    author: str
    text: str
    created: datetime | None = None
    role: str = "Comment"
    replies: Sequence[Post] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A post with a title: an issue, a discussion, a release. `kind` names it: `Issue #12`."""

    kind: str
    title: str
    post: Post
    state: str = ""
    labels: Sequence[str] = ()
    updated: datetime | None = None
    url: str | None = field(default=None)

    def document(self, said: Iterable[Post] = ()) -> Content:
        """Return the thread as a document; `said` are the comments in order."""
        blocks = [f"# {_line(self.title) or self.kind}", self._facts(), _body(self.post.text)]
        for post in said:
            blocks += _said(post, "##")
        text = "\n\n".join(block for block in blocks if block) + "\n"
        return Content(
            data=text.encode("utf-8", "replace"),
            media_type="text/markdown",
            updated=self.updated,
            url=self.url,
        )

    def _facts(self) -> str:
        labels = f"labels: {', '.join(_line(label) for label in self.labels)}" if self.labels else ""
        facts = ", ".join(fact for fact in (self.kind, self.state, labels) if fact)
        return f"{facts}. By {_signed(self.post)}."


def _said(post: Post, marks: str) -> list[str]:
    blocks = [f"{marks} {post.role} by {_signed(post)}", _body(post.text)]
    for reply in post.replies:
        blocks += _said(reply, f"{marks}#")
    return blocks


def _signed(post: Post) -> str:
    author = _line(post.author) or "a deleted account"
    return author if post.created is None else f"{author} on {post.created.astimezone(UTC):%Y-%m-%d}"


def _body(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _line(text: str) -> str:
    return " ".join(text.split())


def digest(*values: object) -> str:
    """Return a version token for these values."""
    text = json.dumps(values, ensure_ascii=True, default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]
