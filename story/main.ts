import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Emulator } from '../emulator/emulator.ts';
import { startEmulator } from '../emulator/emulator.ts';
import { storyAccounts } from './accounts.ts';
import type { StoryArguments } from './arguments.ts';
import { STORY_HELP, storyArguments } from './arguments.ts';
import { storyJson } from './json.ts';
import type { Progress } from './progress.ts';
import { progress } from './progress.ts';
import { reportHtml } from './report.ts';
import type { StoryResult } from './result.ts';
import { judge } from './result.ts';
import { describeSizing } from './sizing.ts';
import type { StoryPlan } from './story.ts';
import { playStory } from './story.ts';
import { storyTables } from './table.ts';
import { describeScale, timeScale, traceTime } from './time-scale.ts';
import { loadBuiltInTraces, loadTraceFolder, traceWindow, withinRetention } from './traces.ts';

const FAILED = 1;
const INTERRUPTED = 130;
const repositoryRoot = fileURLToPath(new URL('..', import.meta.url));
const workFolder = join(repositoryRoot, '.entangle');

function fileStamp(): string {
  return new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
}

function preparePlan(options: StoryArguments, folder: string): StoryPlan {
  const builtIn = options.traces === undefined;
  const loaded = options.traces === undefined ? loadBuiltInTraces() : loadTraceFolder(options.traces);
  const scale = timeScale(loaded[0]?.stepSeconds ?? 0, options.speed);
  const traces = withinRetention(loaded, scale);
  const window = traceWindow(traces[0]?.steps ?? 0, scale.traceStepSeconds);
  return { accounts: storyAccounts(traces, window, builtIn), scale, window, builtIn, folder };
}

function introduce(plan: StoryPlan, say: (message: string) => void): void {
  const { accounts, scale, window } = plan;
  for (const { name, trace, sizing, accountId } of accounts) {
    const cleaning = trace.cleaning.length === 0 ? 'nothing to clean' : trace.cleaning.join('; ');
    say(`${name} (${accountId}): ${trace.source}, ceiling ${sizing.ceilingUnits}; ${cleaning}`);
  }
  const end = traceTime(scale, window.historySteps + window.replaySteps);
  say(`History until ${traceTime(scale, window.historySteps)}, then replayed until ${end} of the traces.`);
  for (const sentence of [...describeScale(scale), ...describeSizing()]) say(sentence);
}

function writeReport(result: StoryResult, options: StoryArguments, stamp: string): string {
  const folder = options.out === undefined ? workFolder : resolve(options.out);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `report-${stamp}.html`);
  writeFileSync(path, reportHtml(result));
  return path;
}

function conclude(result: StoryResult, options: StoryArguments, reportPath: string): void {
  if (options.json) process.stdout.write(`${JSON.stringify(storyJson(result, reportPath))}\n`);
  else process.stdout.write(`\n${storyTables(result)}\n\nReport: ${reportPath}\n`);
}

function fail(message: string): number {
  process.stderr.write(`entangle: ${message.replaceAll(/\s*\n\s*/g, '; ')}\n`);
  return FAILED;
}

interface Run {
  readonly options: StoryArguments;
  readonly stamp: string;
  readonly steps: Progress;
  readonly signal: AbortSignal;
}

/** Plays the story on an emulator of its own, which ends with it whatever happens. */
async function playOnEmulator(plan: StoryPlan, { options, stamp, steps, signal }: Run): Promise<number> {
  let emulator: Emulator | undefined;
  const logNote = () =>
    emulator?.logFile === undefined ? '' : ` (emulator log: ${relative(process.cwd(), emulator.logFile)})`;
  try {
    emulator = await steps.step('starting the emulator, with IAM enforced', () => startEmulator({ auth: true }));
    const result = await playStory(plan, emulator, steps, signal);
    conclude(result, options, writeReport(result, options, stamp));
    const verdict = judge(result);
    const broken = verdict.statements.filter(({ holds }) => !holds).map(({ text }) => text);
    if (!verdict.ok) return fail(`the story did not end as it must: ${broken.join('; ')}${logNote()}`);
    rmSync(plan.folder, { recursive: true, force: true });
    return 0;
  } catch (error) {
    if (signal.aborted) {
      rmSync(plan.folder, { recursive: true, force: true });
      throw error;
    }
    return fail(`${error instanceof Error ? error.message : String(error)}${logNote()}`);
  } finally {
    await emulator?.stop();
  }
}

async function main(argv: readonly string[], signal: AbortSignal): Promise<number> {
  let options: StoryArguments;
  let plan: StoryPlan;
  const stamp = fileStamp();
  try {
    options = storyArguments(argv);
    if (options.help) {
      process.stdout.write(STORY_HELP);
      return 0;
    }
    plan = preparePlan(options, join(workFolder, `story-${stamp}`));
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
  const output = options.json ? process.stderr : process.stdout;
  introduce(plan, (message) => output.write(`${message}\n`));
  const steps = progress(
    (line) => output.write(line),
    () => performance.now(),
  );
  return playOnEmulator(plan, { options, stamp, steps, signal });
}

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interruption.abort());
try {
  process.exitCode = await main(process.argv.slice(2), interruption.signal);
} catch (error) {
  if (!interruption.signal.aborted) throw error;
  process.stderr.write('entangle: stopped, nothing is left running\n');
  process.exitCode = INTERRUPTED;
}
