"""What every chat platform's section of the settings has, and how one channel differs from it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kb.settings import Section

ChannelMode = Literal["mention", "auto", "private-first", "draft", "off"]


class ChannelSettings(Section):
    """`[[channels]]`: how the bot behaves in one channel."""

    platform: Literal["slack", "discord"] = Field(description="slack or discord.")
    id: str = Field(min_length=1, description="Id of the channel, forum, category, server or workspace.")
    mode: ChannelMode | None = Field(None, description="When it answers there; left out: the platform's.")
    sources: tuple[str, ...] = Field((), description="Answer from these sources alone; empty: all.")
    audience: tuple[str, ...] = Field((), description="Tags that every member of the channel may see.")
    follow_ups: bool | None = Field(None, description="Answer follow-ups in its threads without a mention.")
    persona: str = Field("", description="The voice in which it answers there.")
    language: str = Field("", description="Language of its own words there: en, de, es or fr.")
    reviewers: tuple[str, ...] = Field((), description="Users and groups who approve drafts (mode draft).")
    person: str = Field("", description="User or group that is called when someone needs a person.")
    threads: bool | None = Field(None, description="Answer in a thread (Discord).")


class PlatformSettings(Section):
    """What `[slack]` and `[discord]` share."""

    enabled: bool = Field(False, description="Connect while serving.")
    answers: ChannelMode = Field("mention", description="When it answers in channels that say nothing else.")
    follow_ups: bool = Field(True, description="Answer follow-ups in its own threads without a mention.")
    auto_threshold: float = Field(0.7, ge=0, le=1, description="Confidence an answer nobody asked for needs.")
    admins: tuple[str, ...] = Field((), description="Ids of users who may change sources and settings.")
    admin_groups: tuple[str, ...] = Field((), description="Ids of user groups or roles who may do so too.")
    person: str = Field("", description="User or group that is called when someone needs a person.")
    notices: str = Field("", description="Channel that is told when a sync fails; empty: none.")
    language: str = Field("", description="Language of its own words; empty: the reader's, else English.")
    concurrent: int = Field(8, ge=1, le=64, description="Questions answered at a time.")
    per_person: int = Field(20, ge=1, description="Questions a person may ask in ten minutes.")
