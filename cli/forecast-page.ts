import type { BusinessEvent } from '../core/forecast/events.ts';
import { forecastChart, leftOutOfChart, markupText, numberText } from './forecast-chart.ts';
import type { SeriesHistory } from './forecast-history.ts';
import type { ForecastLine } from './forecast-line.ts';
import { modelsText } from './forecast-table.ts';
import { PageFile } from './page-file.ts';
import { pageHead, pageLegend, pageStyle } from './page-shell.ts';
import { percentText } from './percent.ts';

/** More charts than this no browser shows with ease. */
export const MAX_PLOTTED_SERIES = 200;

const STYLE = pageStyle(
  { history: '#5d6b7c', median: '#12489c', band: '#4a86e0', threshold: '#b3261e', event: '#7b3fa0' },
  { history: '#a6b1bf', median: '#8ab8ff', band: '#4a86e0', threshold: '#ff8f86', event: '#d0a2f0' },
  `.history { stroke: var(--history); stroke-width: 1.4; stroke-linecap: round; } .median { stroke: var(--median); stroke-width: 2.2; stroke-linecap: round; }
.begin { stroke: var(--muted); stroke-dasharray: 2 3; } .threshold { stroke: var(--threshold); stroke-width: 1.6; stroke-dasharray: 7 4; }
.band95 { fill: var(--band); fill-opacity: .16; } .band80 { fill: var(--band); fill-opacity: .26; }
.event rect { fill: var(--event); fill-opacity: .13; } .event text { fill: var(--event); font-size: 11px; }
`,
);

const LEGEND = pageLegend([
  ['<path class="history" d="M0 5H26"/>', 'history'],
  ['<path class="median" d="M0 5H26"/>', 'median of the forecast'],
  ['<path class="band80" d="M0 0H26V10H0Z"/>', '80 % interval'],
  ['<path class="band95" d="M0 0H26V10H0Z"/>', '95 % interval'],
  ['<path class="threshold" d="M0 5H26"/>', 'threshold'],
  ['<g class="event"><rect width="26" height="10"/></g>', 'event'],
]);

function introduction(total: number, horizonSteps: number): string {
  const cut =
    total > MAX_PLOTTED_SERIES
      ? ` The first ${MAX_PLOTTED_SERIES} are drawn; the forecasts of all are in the output.`
      : '';
  return `${pageHead(`Forecast of ${total} series`, STYLE)}<h1>Forecast of ${total} series, ${horizonSteps} steps ahead</h1>
<p class="muted">Times are UTC.${cut}</p>
<p class="muted legend">${LEGEND}</p>
`;
}

function modelsTable({ models }: ForecastLine): string {
  const rows = models.map(({ name, weight, backtestMase, failed }) => {
    const error = backtestMase === null ? '–' : numberText(backtestMase);
    const note = failed === undefined ? '' : `failed: ${markupText(failed)}`;
    return `<tr><td>${markupText(name)}</td><td class="number">${percentText(weight)}</td><td class="number">${error}</td><td>${note}</td></tr>`;
  });
  return `<table><tr><th>model</th><th>weight</th><th>error in the backtest ÷ change over a season</th><th></th></tr>${rows.join('')}</table>`;
}

function sectionOf(line: ForecastLine, history: SeriesHistory, events: readonly BusinessEvent[]): string {
  const { seriesId, bottleneck, confidence, reasons } = line;
  const risk =
    bottleneck === undefined
      ? ''
      : ` Reaches ${numberText(bottleneck.threshold)} with a probability of ${(100 * bottleneck.probability).toFixed(1)} %.`;
  const leftOut = leftOutOfChart(line, history);
  return `<section><h2>${markupText(seriesId)}</h2>
<p>Confidence ${percentText(confidence.level)}; ${markupText(modelsText(line))}.${risk}</p>
${forecastChart(line, history, events)}
${leftOut === '' ? '' : `<p class="muted">${leftOut}</p>\n`}<ul>${reasons.map((reason) => `<li>${markupText(reason)}</li>`).join('')}</ul>
${modelsTable(line)}
</section>
`;
}

/** A page of charts that is written series after series, so that none is kept. */
export class ForecastPage {
  readonly #path: string;
  readonly #file: PageFile;
  readonly #total: number;
  #plotted = 0;

  private constructor(path: string, file: PageFile, total: number) {
    this.#path = path;
    this.#file = file;
    this.#total = total;
  }

  /**
   * Begins a page beside the path; it takes the path's place when it is complete.
   * @param total series that will be forecast
   * @throws UsageError when it cannot be written
   */
  static async begin(path: string, total: number, horizonSteps: number): Promise<ForecastPage> {
    return new ForecastPage(path, await PageFile.begin(path, introduction(total, horizonSteps)), total);
  }

  async add(line: ForecastLine, history: SeriesHistory, events: readonly BusinessEvent[]): Promise<void> {
    if (this.#plotted === MAX_PLOTTED_SERIES) return;
    this.#plotted += 1;
    await this.#file.append(sectionOf(line, history, events));
  }

  /** @returns what to tell of the page; undefined: nothing */
  async end(): Promise<string | undefined> {
    await this.#file.append('</body></html>\n');
    await this.#file.end();
    if (this.#total <= MAX_PLOTTED_SERIES) return undefined;
    return `entangle: note: ${this.#path} shows the first ${this.#plotted} of ${this.#total} series\n`;
  }

  /** Takes back what was written. */
  async giveUp(): Promise<void> {
    await this.#file.giveUp();
  }
}
