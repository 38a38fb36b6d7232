"""The settings of sources: one class a source type, told apart by `type`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from kb.documents import HIDDEN_TAG
from kb.settings import Interval, Section, check_schedule

SOURCE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

RepositoryPart = Literal["issues", "pulls", "discussions", "wiki", "releases"]


class SourceSettings(Section):
    """What every source has: `[[sources]]`."""

    name: str = Field(pattern=SOURCE_NAME, description="A short name, unique among the sources.")
    location: str = Field(min_length=1, description="Where it is: a folder, a git or web address, a channel.")
    every: str = Field("30m", description="How often it is synced: 30s, 15m, 2h, 1d, or cron: 0 3 * * *.")
    audience: tuple[str, ...] = Field((), description="Tags of those who may see it; empty: everyone.")
    include: tuple[str, ...] = Field((), description="Only paths that match one of these globs.")
    exclude: tuple[str, ...] = Field((), description="Never paths that match one of these globs.")

    @field_validator("every")
    @classmethod
    def _schedule(cls, value: str) -> str:
        check_schedule(value)
        return value

    @field_validator("audience")
    @classmethod
    def _tags(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if HIDDEN_TAG in value:
            raise ValueError(f"{HIDDEN_TAG!r} cannot be a tag: it marks what nobody sees")
        return value

    @property
    def seen_by(self) -> frozenset[str]:
        """The tags that limit the source's documents; none means everyone."""
        return frozenset(self.audience)


class FolderSource(SourceSettings):
    """A folder of this machine."""

    type: Literal["folder"] = "folder"
    gitignore: bool = Field(True, description="Honour .gitignore files.")
    watch: bool = Field(False, description="While serving, sync within seconds of an edit.")
    links: bool = Field(False, description="Cite a page under the web address in its front matter's link.")


class GitSource(SourceSettings):
    """A git repository: a path, file://, https:// or ssh address."""

    type: Literal["git"] = "git"
    branch: str = Field("", description="Branch or tag; empty: the repository's default branch.")
    folder: str = Field("", description="Only this folder of the repository.")
    private_hosts: bool = Field(False, description="Allow hosts of this machine and of private networks.")


class HostedSource(SourceSettings):
    """What sources have that are read from a host by HTTP."""

    private_hosts: bool = Field(False, description="Allow hosts of this machine and of private networks.")


class PagesSource(HostedSource):
    """What sources made of web pages have."""

    pages: int = Field(1000, ge=1, le=100_000, description="Pages read at most.")
    delay: float = Field(0.5, ge=0, le=60, description="Seconds between two requests to a host.")
    robots: bool = Field(True, description="Honour robots.txt.")


class WebSource(PagesSource):
    """One web page, or the pages below an address that ends in a slash."""

    type: Literal["web"] = "web"
    depth: int | None = Field(
        None,
        ge=0,
        le=50,
        description="How many links away pages are read; default: 10 below an address ending in /, else 0.",
    )
    origins: tuple[str, ...] = Field(
        (), description="Other origins that are read too: https://blog.example.org."
    )


class SitemapSource(PagesSource):
    """The pages that a sitemap names."""

    type: Literal["sitemap"] = "sitemap"
    pages: int = Field(10_000, ge=1, le=100_000, description="Pages read at most.")


class FeedSource(HostedSource):
    """The items of an RSS or Atom feed; those that have left the feed stay."""

    type: Literal["feed"] = "feed"
    linked: bool = Field(False, description="Read the page that an item links to, not the feed's own text.")


class GithubSource(HostedSource):
    """What is written beside a repository's files at GitHub: owner/name."""

    type: Literal["github"] = "github"
    parts: tuple[RepositoryPart, ...] = Field(
        ("issues", "discussions", "wiki", "releases"),
        description="Some of issues, pulls, discussions, wiki, releases.",
    )
    base_url: str = Field("https://api.github.com", description="Base URL of the API.")
    token_env: str = Field("GITHUB_TOKEN", description="Environment variable of a token; may be unset.")


class GitlabSource(HostedSource):
    """What is written beside a project's files at GitLab: group/name."""

    type: Literal["gitlab"] = "gitlab"
    parts: tuple[RepositoryPart, ...] = Field(
        ("issues", "wiki", "releases"),
        description="Some of issues, pulls (merge requests), wiki, releases.",
    )
    base_url: str = Field("https://gitlab.com", description="Base URL of the GitLab server.")
    token_env: str = Field("GITLAB_TOKEN", description="Environment variable of a token; may be unset.")


class HistorySource(HostedSource):
    """What the histories of chat channels have. Each thread is a document, seen by the channel's members."""

    platform: ClassVar[str]
    days: int = Field(365, ge=1, le=36_500, description="How far back the channel is read.")
    look_back: Interval = Field(
        "30d", description="How old a thread may be to be looked at for late replies."
    )
    bots: tuple[str, ...] = Field((), description="Ids of bots whose messages are kept too.")

    @property
    def seen_by(self) -> frozenset[str]:
        """The channel's own tag unless others are set."""
        return frozenset(self.audience) or frozenset({f"{self.platform}:{self.location}"})


class SlackHistorySource(HistorySource):
    """A Slack channel's threads: its id, such as C0123ABCD."""

    platform = "slack"
    type: Literal["slack_history"] = "slack_history"
    base_url: str = Field("https://slack.com/api", description="Base URL of the Web API.")
    token_env: str = Field("SLACK_BOT_TOKEN", description="Environment variable that holds the bot token.")


class DiscordHistorySource(HistorySource):
    """A Discord channel's messages, threads and forum posts: its id."""

    platform = "discord"
    type: Literal["discord_history"] = "discord_history"
    base_url: str = Field("https://discord.com/api/v10", description="Base URL of the API.")
    token_env: str = Field("DISCORD_BOT_TOKEN", description="Environment variable that holds the bot token.")


class ObjectStoreSource(HostedSource):
    """A prefix of an object store: s3://bucket/prefix, gs://, az:// and what else fsspec reads."""

    type: Literal["object_store"] = "object_store"
    options: dict[str, str | int | float | bool] = Field(
        {}, description="Options of its fsspec file system, such as endpoint_url."
    )
    secrets: dict[str, str] = Field(
        {}, description="Options whose values are secret: option = environment variable."
    )


class ReaderSource(HostedSource):
    """A LlamaHub reader by its full name, if [readers] allowed lists it."""

    type: Literal["reader"] = "reader"
    arguments: dict[str, object] = Field({}, description="Arguments the reader is made with.")
    load: dict[str, object] = Field({}, description="Arguments of its load_data.")
    secrets: dict[str, str] = Field(
        {}, description="Arguments whose values are secret: argument = environment variable."
    )


AnySource = Annotated[
    FolderSource
    | GitSource
    | WebSource
    | SitemapSource
    | FeedSource
    | GithubSource
    | GitlabSource
    | SlackHistorySource
    | DiscordHistorySource
    | ObjectStoreSource
    | ReaderSource,
    Field(discriminator="type"),
]
