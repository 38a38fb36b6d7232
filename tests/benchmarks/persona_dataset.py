"""Make a data set of a large export: `python -m tests.benchmarks.persona_dataset [--messages N] [--limit N]`.

The export is made here: a Slack zip with threads, mentions, links, addresses, numbers and repeated lines, of
40 people in 20 channels over a year. Tells seconds and the peak of memory; the aim is 5 minutes and 1 GB
for a million messages.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

PEOPLE, CHANNELS, DAYS = 40, 20, 365
START = 1_700_006_400
SHORT = ("ok", "thanks!", "done", "+1", "on it", "lol", "sounds good", "yep")
SUBJECTS = (
    *("deploy", "cache", "queue", "index", "backup", "login", "invoice", "report", "cluster", "gateway"),
    *("worker", "token", "schema"),
)
VERBS = ("restart", "check", "rotate", "drain", "archive", "rename", "patch", "revert", "tune", "replay")
PLACES = ("staging", "production", "the sandbox", "node seven", "the old rack", "Frankfurt", "the spare host")
SPICE = ("haha", "well,", "hmm,", "tbh", "", "", "", "", "")


def sentence(rng: random.Random) -> str:
    words = [
        rng.choice(SPICE),
        "you",
        rng.choice(("should", "can", "must", "don't need to")),
        rng.choice(VERBS),
    ]
    words += ["the", rng.choice(SUBJECTS), "in", rng.choice(PLACES), f"after {rng.randrange(2, 900)} seconds"]
    if rng.random() < 0.3:
        words += ["because", rng.choice(SUBJECTS), "and", rng.choice(SUBJECTS), "share", rng.choice(SUBJECTS)]
    return " ".join(filter(None, words)) + rng.choice((".", "!", "...", " :tada:", ""))


def text(rng: random.Random) -> str:
    if rng.random() < 0.25:
        return rng.choice(SHORT)
    parts = [sentence(rng) for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 8)))]
    extra = rng.random()
    if extra < 0.08:
        parts.insert(0, f"<@U{rng.randrange(PEOPLE):03}>")
    elif extra < 0.12:
        parts.append(f"<https://wiki.example.com/{rng.randrange(10**6)}|the page>")
    elif extra < 0.13:
        parts.append(
            f"mail me: person{rng.randrange(99)}@example.org or +49 30 90182{rng.randrange(1000):03}"
        )
    elif extra < 0.135:
        parts.append(f"AKIA{''.join(rng.choices('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', k=16))}")
    return " ".join(parts)


def day(rng: random.Random, channel: int, number: int, count: int) -> Iterator[dict[str, object]]:
    at = START + number * 86_400.0 + channel
    thread = ""
    for _ in range(count):
        at += rng.expovariate(count / 40_000)
        stamp = f"{at:.6f}"
        message = {"type": "message", "user": f"U{rng.randrange(PEOPLE):03}", "text": text(rng), "ts": stamp}
        if thread and rng.random() < 0.3:
            message["thread_ts"] = thread
        elif rng.random() < 0.1:
            message["thread_ts"] = thread = stamp
        yield {**message, "client_msg_id": f"{rng.getrandbits(128):032x}", "team": "T1", "blocks": []}


def write_export(file: Path, messages: int, seed: int = 1) -> None:
    rng = random.Random(seed)
    each = max(1, round(messages / CHANNELS / DAYS))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        users = [
            {"id": f"U{n:03}", "name": f"person{n}", "profile": {"real_name": f"Firstly{n} Lastly{n}"}}
            for n in range(PEOPLE)
        ]
        archive.writestr("users.json", json.dumps(users))
        archive.writestr(
            "channels.json", json.dumps([{"id": f"C{n}", "name": f"room{n}"} for n in range(CHANNELS)])
        )
        for channel in range(CHANNELS):
            for number in range(DAYS):
                name = datetime.fromtimestamp(START + number * 86_400, UTC).strftime("%Y-%m-%d")
                lines = json.dumps(list(day(rng, channel, number, each)), indent=1)
                archive.writestr(f"room{channel}/{name}.json", lines)


def main() -> int:
    """Make the export, make the data set in a process of its own, and tell what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--limit", type=int, default=5000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        export, consent = Path(folder) / "export.zip", Path(folder) / "consent.txt"
        write_export(export, chosen.messages)
        consent.write_text("\n".join(f"U{n:03}" for n in range(0, PEOPLE, 2)))
        print(f"export: {export.stat().st_size / 1e6:.0f} MB", flush=True)
        command = [
            sys.executable,
            "-m",
            "adapters",
            "persona",
            "dataset",
            "--speaker",
            "U000",
            "--from",
            str(export),
        ]
        command += ["--consent", str(consent), "--data", folder, "--limit", str(chosen.limit)]
        began = time.perf_counter()
        done = subprocess.run(command, check=False)
        seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = used.ru_maxrss / 1024
    print(
        f"{chosen.messages:,} messages: {seconds:.1f} s ({used.ru_utime + used.ru_stime:.1f} s of processor),"
    )
    print(f"peak {peak:.0f} MB, exit code {done.returncode}")
    return done.returncode or int(seconds > 300 or peak > 1024)


if __name__ == "__main__":
    sys.exit(main())
