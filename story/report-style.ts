/** Style sheet of the report. Colours differ in lightness and dash as well as in hue, in the light and in the dark scheme. */
export const reportStyle = `
:root { color-scheme: light dark;
  --page: #ffffff; --text: #1b2430; --muted: #586474; --rule: #d9dee5; --panel: #f5f7fa;
  --needed: #b3400b; --ceiling: #12489c; --inservice: #5d6b7c; --yesterday: #8a94a1;
  --borrowed: #0b7a75; --lent: #7b3fa0; --good: #1a6b36; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root {
  --page: #12161c; --text: #e6eaf0; --muted: #a3adba; --rule: #303844; --panel: #1a2029;
  --needed: #ffa05c; --ceiling: #8ab8ff; --inservice: #a6b1bf; --yesterday: #76818f;
  --borrowed: #4fd1c5; --lent: #d0a2f0; --good: #7fd89b; --bad: #ff8f86; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 56px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 32px 0 10px; }
h3 { font-size: 14px; margin: 16px 0 4px; }
p { margin: 6px 0; }
ul { margin: 4px 0; padding-left: 20px; }
.muted { color: var(--muted); font-size: 13px; }
.note { background: var(--panel); border-left: 3px solid var(--ceiling); padding: 10px 14px; margin-top: 14px; }
.findings { list-style: none; padding: 0; margin: 16px 0 0; display: grid; gap: 2px; }
.holds b { color: var(--good); } .broken, .broken b { color: var(--bad); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 13px; color: var(--muted); }
.legend span { display: inline-flex; align-items: center; gap: 7px; }
.key { width: 28px; height: 10px; flex: none; }
figure { margin: 14px 0 0; border: 1px solid var(--rule); border-radius: 8px; padding: 12px 12px 4px; }
figcaption { margin-bottom: 2px; }
figure svg { display: block; width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
th { color: var(--muted); font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.grid { stroke: var(--rule); stroke-width: 1; }
.tickmark { stroke: var(--muted); }
.tick { fill: var(--muted); font-size: 12px; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line.needed { stroke: var(--needed); }
.line.ceiling { stroke: var(--ceiling); stroke-width: 3; }
.line.inservice { stroke: var(--inservice); stroke-width: 1.5; }
.line.yesterday { stroke: var(--yesterday); stroke-width: 1.2; stroke-dasharray: 2 4; }
.band { stroke: none; fill-opacity: .16; }
.band.borrowed { fill: var(--borrowed); } .band.lent { fill: var(--lent); }
.bandlabel { font-size: 12px; font-weight: 600; }
.bandlabel.borrowed { fill: var(--borrowed); } .bandlabel.lent { fill: var(--lent); }
.mark { fill: var(--bad); }
@media print { main { max-width: none; } figure { break-inside: avoid; } }
`;
