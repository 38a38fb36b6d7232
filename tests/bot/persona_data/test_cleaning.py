from __future__ import annotations

from pathlib import Path

import pytest

from bot.persona_data.cleaning import Cleaner
from bot.persona_data.consent import Consent, read_consent
from bot.persona_data.errors import DatasetRefused
from bot.persona_data.names import Namer
from bot.persona_data.people import Cast, People
from bot.persona_data.private import Private
from bot.persona_data.said import Kind, Known
from tests.bot.persona_data.exports import consent


def consented(*entries: str) -> Consent:
    return Consent(file="consent.txt", digest="", entries=entries)


@pytest.fixture(scope="module")
def cleaner() -> Cleaner:
    people = People()
    people.add(Known(id="slack:U1", names=("Ana Pérez", "ana")))
    people.add(Known(id="slack:U2", names=("Mark Li", "marky")))
    people.add(Known(id="slack:U3", names=("Zoë van Dijk",)))
    people.add(Known(id="discord:200000000000000001", names=("Kestrel",)))
    cast = people.cast(["U1"], consented("U1"))
    return Cleaner(people, cast, Private("US"))


@pytest.mark.parametrize(
    ("kind", "text", "cleaned"),
    [
        ("slack", "<@U2> the port is 8080 &amp; open", "someone the port is 8080 & open"),
        ("slack", "ask <@U1> or <@U3>", "ask Ana Pérez or someone"),
        ("slack", "see <https://wiki.example.com/x|the page> or <https://a.b/c>.", "see the page or [link]."),
        ("slack", "<!here> restart it", "here restart it"),
        ("discord", "<@200000000000000001>: hi <:blob:123456789012345678>", "hi :blob:"),
        ("discord", "@Kestrel knows", "someone knows"),
        ("text", "Hi Mark, the disk is full", "Hi, the disk is full"),
        ("text", "mark it as done, Zoë", "mark it as done"),
        ("text", "zoë's disk and Mark Li's key", "someone's disk and someone's key"),
        ("text", "I asked Mark about it", "I asked someone about it"),
        ("text", "write to ana.b@example.co.uk, please", "write to [e-mail], please"),
        ("text", "call +49 30 901820 at 10:30", "call [phone number] at 10:30"),
        ("text", "call (415) 555-2671 now", "call [phone number] now"),
        ("text", "card 4111 1111 1111 1111 ok", "card [card number] ok"),
        ("text", "pay DE89 3704 0044 0532 0130 00 now", "pay [account number] now"),
        ("text", "it is at 8.8.8.8, not 127.0.0.1", "it is at [IP address], not 127.0.0.1"),
        ("text", "version 1.2.3 of 2024-03-01 takes 1,000,000 rows", None),
        ("text", "run `mark --user Zoë` in ```\n@property\n```", None),
        ("text", "see [the page](https://wiki.example.com/x)", "see the page"),
        ("text", "@some_body look", "someone look"),
        ("answer", "The port is 8080 [1][2].", "The port is 8080."),
    ],
)  # fmt: skip
def test_cleaned(cleaner: Cleaner, kind: Kind, text: str, cleaned: str | None) -> None:
    """Mentions, links, addresses, numbers of people and their names are gone; all else stays as it was."""
    assert cleaner.clean(text, kind).text == (text if cleaned is None else cleaned)


@pytest.mark.parametrize(
    "secret",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5",
        "xoxb-123456789012-1234567890123-" + "AbCdEfGhIjKlMnOpQrStUvWx",
        "d41d8cd98f00b204e9800998ecf8427e",
        "q8Zr2kXw9LmP4tVb7NcY1sHd",
        "the password is hunter2hunter2",
        "pw: hunter2hunter2",
        "the secret key is 'abcdefgh123'",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    ],
)
def test_secrets(cleaner: Cleaner, secret: str) -> None:
    """Keys, tokens and passwords as people type them are taken out and counted as secrets."""
    done = cleaner.clean(f"use {secret} for the job", "text")
    assert secret.rsplit(maxsplit=1)[-1].strip("'") not in done.text
    assert done.replaced["secret"] >= 1


def test_passwords_and_private_keys(cleaner: Cleaner) -> None:
    """A password after its name, one in an address, and a whole private key are taken out."""
    text = (
        "password = 'hunter2hunter2' and postgres://root:s3cr3tpw@db/x\n"
        "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----\nend"
    )
    done = cleaner.clean(text, "text").text
    assert not any(secret in done for secret in ("hunter2", "s3cr3tpw", "MIIabc"))
    assert done.endswith("end")


@pytest.mark.parametrize(
    "text",
    [
        "kubernetes-dashboard-controller-manager",
        "getUserAccountByIdentifier2",
        "/usr/local/share/man/man1/git.1",
    ],
)
def test_long_words_are_no_secrets(cleaner: Cleaner, text: str) -> None:
    """Identifiers and paths are left alone."""
    assert cleaner.clean(f"see {text} there", "text").text == f"see {text} there"


def test_names_that_are_words() -> None:
    """A name that is a word too counts where it stands as a name, and words stay words."""
    namer = Namer(["Will Green", "Rose"])
    assert namer.replaced("will you paint it green? A rose. It will.")[1] == 0
    assert namer.replaced("thanks Will, and I told Rose. Will Green agreed")[1] == 3


def test_names_of_those_who_agreed_stay() -> None:
    """A first name shared with someone who agreed is left alone."""
    assert Namer(["Ana Silva"], spared=["Ana Pérez"]).replaced("Ana or Silva?") == ("Ana or someone?", 1)


def test_unknown_country() -> None:
    """A country that there is not is refused."""
    with pytest.raises(DatasetRefused, match="'XX' is no country code"):
        Private("XX")


def people(*known: Known) -> People:
    every = People()
    for one in known:
        every.add(one)
    return every


ANA = Known(id="slack:U1", names=("Ana Pérez",))


@pytest.mark.parametrize("speaker", ["U1", "slack:U1", "ana pérez", "@Ana Pérez"])
def test_speaker_by_name_or_id(speaker: str) -> None:
    """A speaker is found by id, with or without platform, and by name in any case."""
    found = people(ANA).cast([speaker], consented("Ana Pérez"))
    assert found == Cast(
        speakers=frozenset({"slack:U1"}), agreed=frozenset({"slack:U1"}), unmatched=(), ambiguous=()
    )


def test_speaker_without_consent() -> None:
    """A speaker whom the consent file does not name is refused."""
    with pytest.raises(
        DatasetRefused, match=r"'Ana Pérez' has not agreed by the consent file 'consent\.txt'"
    ):
        people(ANA).cast(["U1"], consented("Bo"))


def test_unknown_and_ambiguous_speakers() -> None:
    """A name of nobody or of two people is refused with the names or ids that there are."""
    both = people(ANA, Known(id="discord:7", names=("Ana Pérez",)))
    with pytest.raises(DatasetRefused, match=r"several people: discord:7, slack:U1"):
        both.cast(["Ana Pérez"], consented("U1"))
    with pytest.raises(DatasetRefused, match=r"'Zed' is in no export\. Who is: 'Ana Pérez'"):
        people(ANA).cast(["Zed"], consented("U1"))


def test_ambiguous_consent_counts_for_none() -> None:
    """A name in the consent file that two people have lets in neither."""
    both = people(ANA, Known(id="discord:7", names=("Ana Pérez",)))
    found = both.cast(["U1"], consented("Ana Pérez", "U1", "Gone"))
    assert found.agreed == {"slack:U1"}
    assert (found.ambiguous, found.unmatched) == (("Ana Pérez",), ("Gone",))


def test_consent_file(tmp_path: Path) -> None:
    """Remarks, empty lines and spaces are skipped; the file's digest is kept."""
    read = read_consent(consent(tmp_path, "Ana  Pérez # 2024-05-01", "", "U2"))
    assert read.entries == ("Ana Pérez", "U2")
    assert len(read.digest) == 64


def test_consent_file_that_says_nothing(tmp_path: Path) -> None:
    """A consent file that is missing or names nobody is refused."""
    with pytest.raises(DatasetRefused, match="names nobody"):
        read_consent(consent(tmp_path))
    with pytest.raises(DatasetRefused, match="cannot be read"):
        read_consent(tmp_path / "none")
