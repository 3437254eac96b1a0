"""How the pages look: in light, in dark, and on paper."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --page: #fbfbf9; --paper: #ffffff; --ink: #1c2126; --quiet: #5b6472; --line: #dcdfe3; --accent: #1f5fa8;
  --stripe: #f4f5f3; --input: #5b6472; --tuned: #9a5b00; --prediction: #1d7a45;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --paper: #1b1f24; --ink: #e4e7ea; --quiet: #9aa4b1; --line: #343a42; --accent: #8ab8f0;
    --stripe: #20252b; --input: #a3adba; --tuned: #e2a950; --prediction: #6fcf97;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 3.5rem; }
body {
  margin: 0; background: var(--page); color: var(--ink); line-height: 1.5;
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main, header > div { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding: 2rem 0 1rem; }
header p { color: var(--quiet); margin: 0.25rem 0; max-width: 60rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 0.4rem; letter-spacing: -0.01em; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 0.8rem; padding-bottom: 0.3rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.02rem; margin: 1.6rem 0 0.5rem; }
a { color: var(--accent); }
sub, sup { font-size: 0.74em; line-height: 0; }
nav { position: sticky; top: 0; z-index: 2; background: var(--page); border-bottom: 1px solid var(--line); }
nav ul {
  max-width: 76rem; margin: 0 auto; padding: 0.55rem 1.25rem; list-style: none; display: flex; flex-wrap: wrap;
  gap: 0.2rem 1.2rem; font-size: 0.92rem;
}
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 0.8rem; margin: 1.2rem 0 0; }
.facts div { background: var(--paper); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.6rem 0.8rem; }
.facts dt { color: var(--quiet); font-size: 0.8rem; }
.facts dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; background: var(--paper); }
caption { text-align: left; font-weight: 600; padding: 0.4rem 0; }
th, td { padding: 0.3rem 0.75rem; text-align: right; border-bottom: 1px solid var(--line); vertical-align: baseline; }
th { color: var(--quiet); font-weight: 600; white-space: nowrap; border-bottom-width: 2px; }
tbody th { color: inherit; font-weight: 500; border-bottom-width: 1px; white-space: normal; }
.text { text-align: left; }
td.long { white-space: normal; min-width: 16rem; }
tbody tr:nth-child(even) { background: var(--stripe); }
.note { color: var(--quiet); font-size: 0.85rem; margin: -0.6rem 0 1rem; }
.kind { font-weight: 600; }
.kind-input { color: var(--input); }
.kind-tuned { color: var(--tuned); }
.kind-prediction { color: var(--prediction); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(30rem, 100%), 1fr)); gap: 1.2rem; }
.figures.wide { grid-template-columns: 1fr; }
figure { margin: 0; min-width: 0; }
figure > div { background: #ffffff; border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.5rem; }
figure svg, figure img { display: block; width: 100%; height: auto; }
figcaption { color: var(--quiet); font-size: 0.85rem; padding: 0.4rem 0.2rem; }
details { margin: 0.4rem 0 1rem; }
summary { cursor: pointer; color: var(--accent); padding: 0.25rem 0; }
pre {
  background: var(--paper); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.8rem; overflow-x: auto;
  font: 0.8rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; max-height: 40rem;
}
code { font: 0.9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
footer { color: var(--quiet); font-size: 0.85rem; padding: 2.5rem 0 3rem; }
@media print {
  :root { color-scheme: light; --page: #fff; --paper: #fff; --ink: #000; --quiet: #444; --line: #bbb; --stripe: #fff; }
  body { font-size: 10pt; }
  nav { display: none; }
  h2 { break-after: avoid; }
  figure, tr { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
  pre { max-height: none; white-space: pre-wrap; }
}
"""
