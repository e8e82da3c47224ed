"""The style sheet of the report: light or dark, as the reader's system is."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2430; --soft: #5b6776; --line: #dfe4ea;
  --first: #2f6fdb; --second: #d97706; --third: #98a2b0; --good: #15803d; --bad: #d02f2f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1b212a; --ink: #e7ebf0; --soft: #9aa6b4; --line: #2d3642;
    --first: #6ea8ff; --second: #f5a742; --third: #7b8794; --good: #4ade80; --bad: #ff6b6b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 32px 20px 48px; max-width: 1040px; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
h1 { margin: 0; font-size: 26px; }
h2 { margin: 0 0 12px; font-size: 16px; }
header p { margin: 4px 0 0; color: var(--soft); overflow-wrap: anywhere; }
header { margin-bottom: 24px; }
.verdict { font-size: 15px; font-weight: 600; margin-left: 10px; color: var(--good); }
.verdict.failed { color: var(--bad); }
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 18px 20px; margin: 0 0 16px;
}
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(112px, 1fr)); gap: 12px;
  padding: 0; margin: 0 0 16px; list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 12px 14px; }
.tiles b { display: block; font-size: 20px; line-height: 1.25; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.tiles small { font-size: 13px; color: var(--soft); font-weight: 400; }
.tiles span, .note { color: var(--soft); font-size: 13px; }
.note { margin: 10px 0 0; }
.remarks { border-left: 4px solid var(--second); margin: 0; }
ul.remarks { list-style: none; margin-bottom: 16px; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
.tick { fill: var(--soft); } .name { fill: var(--soft); font-weight: 600; }
.grid { stroke: var(--line); } .axis { stroke: var(--third); }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line.p50 { stroke: var(--first); } .line.p95 { stroke: var(--second); }
.line.max { stroke: var(--third); stroke-width: 1.25; }
circle.p50, rect.p50 { fill: var(--first); } circle.p50 { fill-opacity: .65; }
circle.bad, rect.bad { fill: var(--bad); }
.mark { stroke: var(--second); stroke-width: 1.5; stroke-dasharray: 4 3; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 8px 0 0; padding: 0;
  list-style: none; color: var(--soft); font-size: 13px; }
.legend i { display: inline-block; width: 14px; height: 4px; border-radius: 2px;
  margin-right: 7px; vertical-align: middle; background: var(--first); }
.legend .p95 i { background: var(--second); } .legend .max i { background: var(--third); }
.legend .bad i { background: var(--bad); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--soft); font-weight: 600; font-size: 13px; }
th, td { padding: 5px 12px 5px 0; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.replica { white-space: nowrap; }
td.bar { width: 60%; padding-right: 0; }
.track { position: relative; height: 18px; }
.track i { display: block; height: 100%; min-width: 1px; border-radius: 4px;
  background: var(--first); }
.track u { position: absolute; top: -4px; bottom: -4px; width: 0;
  border-left: 2px dashed var(--second); }
.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; }
.columns td { border-top: 1px solid var(--line); }
footer { color: var(--soft); font-size: 13px; }
@media (max-width: 640px) {
  .columns { grid-template-columns: 1fr; gap: 0; }
  td.bar { width: 40%; }
  .card { overflow-x: auto; }
  svg { min-width: 600px; }
}
@media print { body { padding: 0; } .card, .tiles li { break-inside: avoid; } }
"""
