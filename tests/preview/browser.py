"""Pictures of pages, taken by a headless Chromium without the net."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from PIL import Image, ImageChops

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


class BrowserMissing(Exception):
    """There is no Chromium here, or it took no picture."""


def browser() -> str:
    """Return the path of Chromium; raise `BrowserMissing` when there is none."""
    for name in _BROWSERS:
        if found := shutil.which(name):
            return found
    raise BrowserMissing("There is no Chromium here. Install the package chromium.")


async def picture(page: str, target: Path, *, width: int, height: int, colours: int = 256) -> None:
    """Write a picture of an HTML page, cut below its last line and small enough for documentation.

    Raise `BrowserMissing` when no picture comes within a minute.
    """
    with tempfile.TemporaryDirectory(prefix="preview-") as folder:
        source, shot = Path(folder) / "page.html", Path(folder) / "shot.png"
        source.write_text(page, encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            browser(),
            *_SWITCHES,
            f"--user-data-dir={folder}/profile",
            f"--window-size={width},{height}",
            f"--screenshot={shot}",
            source.as_uri(),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, errors = await asyncio.wait_for(process.communicate(), 60)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise BrowserMissing("Chromium took no picture within 60 seconds.") from None
        if process.returncode:
            raise BrowserMissing(f"Chromium took no picture: {errors.decode(errors='replace')[-300:]!r}")
        await asyncio.to_thread(_save_small, shot, target, colours)


def _save_small(shot: Path, target: Path, colours: int) -> None:
    """Write a picture without the empty part below, in few colours."""
    with Image.open(shot) as opened:
        whole = opened.convert("RGB")
    empty = Image.new("RGB", whole.size, whole.getpixel((0, whole.height - 1)))
    box = ImageChops.difference(whole, empty).getbbox()
    bottom = min(whole.height, box[3] + 24) if box else whole.height
    reduced = whole.crop((0, 0, whole.width, bottom)).quantize(colours, method=Image.Quantize.MAXCOVERAGE)
    reduced.save(target, "PNG", optimize=True)
