import type { ForecastStreams } from './forecast.ts';

/** Mistakes in a file that are told: the rest are counted. */
const MOST_LINES = 50;

/** Tells what is wrong in the content of files, a line each. @param prefix what stands before each, such as the name of the file */
export function tellMistakes(lines: readonly string[], prefix: string, streams: ForecastStreams): void {
  for (const line of lines.slice(0, MOST_LINES)) {
    streams.error(`entangle: ${prefix}${line.replaceAll(/\s*\n\s*/g, '; ')}\n`);
  }
  if (lines.length > MOST_LINES) streams.error(`entangle: ${prefix}and ${lines.length - MOST_LINES} more\n`);
}
