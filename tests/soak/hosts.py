"""P23: the fetch gate reaches only public hosts, however an address is spelled, looked up or led to.

Run it whole with `python -m tests.soak hosts`.
"""

from __future__ import annotations

import json
import random
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from kb.errors import FetchFailed, FetchRefused
from kb.fetch import Fetcher
from tests.emulators.certificates import tls_pair
from tests.emulators.hostile import Hostile, hostile
from tests.emulators.internet import PUBLIC, Internet
from tests.soak.rows import Row

URLS = Path(__file__).parents[3] / "shared" / "data" / "trust" / "ssrf" / "urls.jsonl"

BAD_V4 = (
    str(IPv4Address(0)), "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200",
    "127.0.0.1", "127.1.2.3", "168.63.129.16", "169.254.169.254", "169.254.170.2", "172.16.0.1",
    "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255",
    "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255",
)  # fmt: skip
BAD_V6 = (
    "::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "ff02::1", "100::1",
    "2001::1", "2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1", "5f00::1", "64:ff9b:1::1",
)  # fmt: skip
SERVED = (
    "redirector.test", "rebind.test", "docs.python.org", "example.com", "127.0.0.1.example.com",
    "xn--bcher-kva.example", "sub.domain.example.co.uk", "2606:2800:220:1:248:1893:25c8:1946",
)  # fmt: skip
REDIRECTS = ("301", "302", "303", "307", "308")
NAMES = {
    name: [[address]]
    for name, address in {
        "localhost": "127.0.0.1",
        "localhost.localdomain": "127.0.0.1",
        "ip6-localhost": "::1",
        "ip6-loopback": "::1",
        "a.localhost": "127.0.0.1",
        "a.internal": "10.0.0.9",
        "router.local": "192.168.0.1",
        "kubernetes.default.svc": "10.96.0.1",
        "wiki": "10.0.0.8",
        "metadata.google.internal": "169.254.169.254",
        "metadata": "169.254.169.254",
        "instance-data": "169.254.169.254",
        "127.0.0.1.nip.test": "127.0.0.1",
    }.items()
}

_WIDE = str.maketrans("0123456789", "".join(map(chr, range(0xFF10, 0xFF1A))))
_CIRCLED = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An address that may not be read. `first` is read before, and must be readable."""

    url: str
    names: dict[str, list[list[str]]] = field(default_factory=dict)
    first: bool = False


@dataclass(slots=True, kw_only=True)
class Count:
    """What came of the cases. `reached` and `read` hold what should not be."""

    cases: int = 0
    refused: int = 0
    failed: list[str] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The servers: two that public addresses lead to, and one of this machine that must not be reached."""

    public: Hostile
    public_tls: Hostile
    inside: Hostile
    trust: ssl.SSLContext

    def internet(self, names: dict[str, list[list[str]]]) -> Internet:
        return Internet(http=self.public.port, https=self.public_tls.port, names=NAMES | names)


@asynccontextmanager
async def place() -> AsyncIterator[Place]:
    """Run the servers."""
    with TemporaryDirectory() as folder:
        tls, trust = tls_pair(Path(folder), SERVED)
    async with hostile() as public, hostile(tls=tls) as public_tls, hostile() as inside:
        yield Place(public=public, public_tls=public_tls, inside=inside, trust=trust)


def spellings(address: str) -> Iterator[str]:
    """Yield a non-public IPv4 address in the forms that parsers and resolvers take, as hosts of a URL."""
    parts = [int(part) for part in address.split(".")]
    number = int(IPv4Address(address))
    high, low = f"{number >> 16:x}", f"{number & 0xFFFF:x}"
    yield from (address, f"{address}.", str(number), f"0x{number:x}", f"0X{number:08X}", f"0{number:o}")
    yield ".".join(f"0x{part:x}" for part in parts)
    yield ".".join(f"0{part:o}" for part in parts)
    yield ".".join(f"{part:03d}" for part in parts)
    yield f"{parts[0]}.{number & 0xFFFFFF}"
    yield f"{parts[0]}.{parts[1]}.{number & 0xFFFF}"
    yield f"0x{parts[0]:x}.{parts[1]}.0{parts[2]:o}.{parts[3]}"
    yield from (address.translate(_WIDE), address.translate(_CIRCLED), str(number).translate(_WIDE))
    yield from (address.replace(".", dot) for dot in "。．｡")  # noqa: RUF001 - the point of the case
    yield quote(address.replace(".", "%2e"), safe="%")
    yield "".join(f"%{ord(letter):02x}" for letter in address)
    yield from (f"[::ffff:{address}]", f"[::{address}]", f"[64:ff9b::{address}]", f"[::ffff:0:{address}]")
    yield from (f"[2002:{high}:{low}::]", f"[::ffff:{high}:{low}]", f"[2001:0:{high}:{low}::1]")


def cases(port: int) -> Iterator[Case]:
    """Yield each bad host directly, behind a name, in a changed answer and at the end of a redirect."""
    hosts = [spelling for address in BAD_V4 for spelling in spellings(address)]
    hosts += [f"[{address}]" for address in BAD_V6] + list(NAMES)
    hosts += ["ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "localhost。localdomain", "LOCALHOST", "localhost.", "%6cocalhost"]
    for host in hosts:
        for url in (f"http://{host}/", f"http://{host}:{port}/latest/meta-data/", f"https://{host}/"):
            yield Case(url=url)
        for status in REDIRECTS:
            to = quote(f"http://{host}:{port}/", safe="")
            yield Case(url=f"http://redirector.test/redirect/{status}?to={to}")
    for address in (*BAD_V4, *BAD_V6):
        for answers in ([[address]], [[PUBLIC, address]], [[address, PUBLIC]]):
            yield Case(url="http://named.test/", names={"named.test": answers})
        yield Case(
            url="http://rebind.test/status/200", names={"rebind.test": [[PUBLIC], [address]]}, first=True
        )


async def measure(scale: float) -> list[Row]:
    """Try all cases, or a part of them, and the URLs of the shared data where it is present."""
    async with place() as here:
        chosen = list(cases(here.inside.port))
        if scale < 1:
            chosen = random.Random(23).sample(chosen, max(50, int(len(chosen) * scale)))
        made = await tried(chosen, here)
        rows = [_row(f"{made.cases} spellings, look-ups and redirects of hosts that are not public", made)]
        if URLS.exists():
            listed = await tried(listed_cases(), here)
            rows += [_row(f"{listed.cases} URLs of shared/data/trust/ssrf", listed), await _benign(here)]
    return rows


def listed_urls(expect: str) -> list[str]:
    """Return the URLs of the shared data that are to be allowed or blocked."""
    lines = [json.loads(line) for line in URLS.read_text(encoding="utf-8").splitlines()]
    return [line["url"] for line in lines if line["expect"] == expect]


def listed_cases() -> list[Case]:
    """Return a case for each URL to block; two of the three of rebind.test turn bad later."""
    metadata = "169.254.169.254"
    plain = [Case(url=url) for url in listed_urls("block") if "rebind.test" not in url]
    return [
        *plain,
        Case(url="http://rebind.test/", names={"rebind.test": [[metadata]]}),
        Case(url="http://rebind.test/", names={"rebind.test": [[PUBLIC], [metadata]]}, first=True),
        Case(url="https://rebind.test/", names={"rebind.test": [[PUBLIC], [metadata]]}, first=True),
    ]


async def tried(chosen: Sequence[Case], here: Place) -> Count:
    """Try each case and count what should not have happened."""
    count = Count()
    for case in chosen:
        await _try(case, here, count)
    if here.inside.connections:
        count.reached.append(f"{here.inside.connections} connections to a server of this machine")
    return count


async def _try(case: Case, here: Place, count: Count) -> None:
    internet = here.internet(case.names)
    fetcher = Fetcher(lookup=internet.lookup, dial=internet.dial, tls=here.trust)
    count.cases += 1
    if case.first:
        await fetcher.fetch(case.url)
        await fetcher.close()
    try:
        answer = await fetcher.fetch(case.url)
        if "/meta-refresh" not in answer.url:
            # Such a page may be read, and what it points to is not.
            count.read.append(case.url)
    except FetchRefused:
        count.refused += 1
    except FetchFailed as exc:
        count.failed.append(str(exc))
    finally:
        await fetcher.close()
    count.reached += [f"{case.url} → {peer[0]}" for peer in internet.not_public]


async def _benign(here: Place) -> Row:
    """Read the good URLs: a gate that refuses everything would keep the promise too."""
    internet = here.internet({})
    fetcher = Fetcher(lookup=internet.lookup, dial=internet.dial, tls=here.trust)
    urls = listed_urls("allow")
    answers = [await fetcher.fetch(url) for url in urls]
    await fetcher.close()
    good = sum(answer.status == 200 for answer in answers)
    return Row(
        promise="P23",
        done=f"{len(urls)} good URLs of shared/data/trust/ssrf",
        figure=f"{good} read",
        reach="all read",
        kept=good == len(urls) > 0,
    )


def _row(done: str, count: Count) -> Row:
    return Row(
        promise="P23",
        done=done,
        figure=f"{len(count.reached)} connections, {count.refused} refused, {len(count.read)} read",
        reach="0 connections to a non-public peer",
        kept=count.cases > 0 and not count.reached and not count.read,
    )
