"""How the page of a comparison looks."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --fg: #1c2024; --dim: #5b6770; --line: #d8dde2; --bg: #fff;
  --box: #f5f7f9; --good: #1f7a47; --range: #11151a }
@media (prefers-color-scheme: dark) {
  :root { --fg: #e6e8ea; --dim: #9aa5ae; --line: #3a4148; --bg: #16191c; --box: #20252a; --good: #63c58f;
    --range: #f2f4f5 }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1180px; padding: 32px 24px 64px; color: var(--fg); background: var(--bg);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px }
h2 { font-size: 19px; margin: 40px 0 12px }
p { margin: 0 0 10px; max-width: 75ch }
small, .dim { color: var(--dim); font-size: 13px; font-weight: 400 }
th small, td small, figcaption small, .answer small { display: block }
.advice { background: var(--box); border-left: 4px solid var(--good); padding: 16px 20px; margin: 20px 0 }
.advice p { font-size: 18px; font-weight: 600; margin: 0 0 8px }
.advice ul { margin: 0; padding-left: 20px }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums }
th, td { border-bottom: 1px solid var(--line); padding: 7px 10px; text-align: right; vertical-align: top }
th:first-child { text-align: left; min-width: 200px; max-width: 290px }
td { white-space: nowrap }
b { font-weight: 600 }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr));
  gap: 28px 36px }
figure { margin: 0 }
figcaption { font-weight: 600; margin-bottom: 4px }
svg { width: 100%; height: auto; display: block }
svg text { fill: var(--fg); font-size: 13px }
svg .none { fill: var(--dim) }
svg .scale { stroke: var(--line) }
svg .range { stroke: var(--range); stroke-width: 1.6; fill: none }
@media (max-width: 600px) {
  body { padding: 20px 16px 48px }
  h1 { font-size: 22px }
  .advice { padding: 12px 14px }
  .advice p { font-size: 16px }
  th:first-child { min-width: 112px }
  tbody th small { display: none }
  svg text { font-size: 16px }
}
details { border-top: 1px solid var(--line); padding: 8px 0 }
summary { cursor: pointer }
.answer { margin: 10px 0 10px 16px; white-space: pre-wrap; overflow-wrap: anywhere }
"""
