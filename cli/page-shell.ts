/** Colours by name, as CSS takes them. */
export type Palette = Readonly<Record<string, string>>;

const LIGHT: Palette = { page: '#fff', text: '#1b2430', muted: '#586474', rule: '#d9dee5' };
const DARK: Palette = { page: '#12161c', text: '#e6eaf0', muted: '#a3adba', rule: '#303844' };

const COMMON_STYLE = `
body { margin: 0 auto; max-width: 1040px; padding: 24px 20px 48px; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0; } h2 { font-size: 17px; margin: 0 0 4px; overflow-wrap: anywhere; }
p { margin: 4px 0; } .muted, ul, table { color: var(--muted); font-size: 13px; } ul { margin: 4px 0; padding-left: 18px; }
section { border-top: 1px solid var(--rule); margin-top: 24px; padding-top: 14px; }
svg { display: block; width: 100%; height: auto; }
table { border-collapse: collapse; } th, td { text-align: left; padding: 1px 18px 1px 0; font-weight: normal; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.legend span { margin-right: 18px; white-space: nowrap; } .legend svg { display: inline-block; width: 26px; height: 10px; margin-right: 6px; }
.grid { stroke: var(--rule); } .tick { fill: var(--muted); font-size: 11px; } path { fill: none; }
@media print { section { break-inside: avoid; } }
`;

const variablesOf = (palette: Palette): string =>
  Object.entries(palette)
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(' ');

/** The style of a page, in light and in dark. @param own rules that come after the common ones */
export function pageStyle(light: Palette, dark: Palette, own: string): string {
  return `
:root { color-scheme: light dark; ${variablesOf({ ...LIGHT, ...light })} }
@media (prefers-color-scheme: dark) { :root { ${variablesOf({ ...DARK, ...dark })} } }${COMMON_STYLE}${own}`;
}

/** What the marks of a chart mean. @param marks SVG of 26 × 10 and what it stands for */
export function pageLegend(marks: readonly (readonly [mark: string, label: string])[]): string {
  return marks
    .map(([mark, label]) => `<span><svg viewBox="0 0 26 10" aria-hidden="true">${mark}</svg>${label}</span>`)
    .join('\n');
}

/** A page begins so, until its body. Nothing is loaded from elsewhere and no script runs. */
export function pageHead(title: string, style: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title><style>${style}</style></head><body>
`;
}
