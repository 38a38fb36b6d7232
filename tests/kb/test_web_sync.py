from __future__ import annotations

from pathlib import Path

from tests.benchmarks.web import measure


async def test_unchanged_pages_cost_a_conditional_request(tmp_path: Path) -> None:
    """Syncing unchanged pages parses and embeds nothing; it asks what is new of each, or the sitemap."""
    runs = [run async for run in measure(60, tmp_path)]
    assert [run.status for run in runs] == ["ok"] * 6
    crawl, dated = runs[:3], runs[3:]
    # A crawl reads 60 pages and the start page; the host has no robots.txt.
    assert crawl[0].statuses == {200: 61, 404: 1}
    assert (crawl[0].parsed, dated[0].parsed) == (61, 60)
    assert [run.statuses for run in crawl[1:]] == [{304: 61, 404: 1}] * 2
    assert [run.statuses for run in dated[1:]] == [{200: 1, 404: 1}] * 2
    for run in (*crawl[1:], *dated[1:]):
        assert (run.parsed, run.embedded) == (0, 0)
        assert run.unchanged >= 60
