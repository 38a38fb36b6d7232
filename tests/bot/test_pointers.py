import pytest

from bot.pointers import points_elsewhere, without_markup


@pytest.mark.parametrize(
    "text",
    [
        "For more information, see [Storage](storage.md).",
        "For a sample notebook that shows the whole, see the [Introduction](https://example.com/a_(b)).",
        "For information about the timeout and how to change it, see the settings.",
        "**Note** For further details, refer to the handbook.",
        "See [Consent and privacy](#consent).",
        "Learn more about it in the guide.",
        "The following topics explain how to upload and delete objects.",
        "The following figure illustrates the basics.",
        "The following is an example of a policy.",
        "This page covers the scopes of the kit.",
        "Weitere Informationen stehen im Handbuch.",
        "+ [How do I empty a bucket?](empty.md)\n+ [How do I delete an object?](delete.md)",
        "**Topics**\n\n+ [Uploading files by pointing](#a)\n+ [Uploading files by dragging](#b)",
    ],
)
def test_text_that_only_sends_elsewhere(text: str) -> None:
    """What says only where something is told, announces it, or has pages' titles alone, points elsewhere."""
    assert points_elsewhere(text)


@pytest.mark.parametrize(
    "text",
    [
        "A file may have 50 MB; see [Limits](limits.md) for more.",
        "To create a token, go to the portal and choose [Bot](https://example.com/bot).",
        "To list the steps you see in the console, press `Tab`.",
        "For each seat, an invoice is sent.",
        "The following limits hold: 10 seats and 3 rooms.",
        "This endpoint will not delete old messages.",
        "It reads [Slack](slack.md), [Discord](discord.md) and [git](git.md).",
        "Seats in the office:\n\n- Kim sits by the [north door](#door)\n- Jo sits by the window on the left",
        "",
    ],
)
def test_text_that_tells_something(text: str) -> None:
    """A link, a word such as "see" or "following", or names as links do not make text point elsewhere."""
    assert not points_elsewhere(text)


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("<Warning> It is seen once.\n</Warning>", " It is seen once.\n"),
        ('![A map. See it.](map.png)One<br/>two<a name="x"></a>', "One two"),
        ('<Card title="Start" cols={2}>Begin here</Card>', "Begin here"),
        ("Replace <YOUR_ID> with an id, `<b>` and `</Card>` stay, <name> too.", None),
        ("Hello <Name>, 1 < 2", None),
    ],
)
def test_markup_is_taken_out(text: str, without: str | None) -> None:
    """Images, HTML tags and tags of components go; code spans and placeholders stay."""
    assert without_markup(text) == (text if without is None else without)
