// Stands for the fitting thread: what its jobs begin with says how it fails.
import { parentPort } from 'node:worker_threads';

// The smallest module whose only function, "f", does nothing but trap.
const TRAP = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  4,
  1,
  96,
  0,
  0,
  3,
  2,
  1,
  0,
  7,
  5,
  1,
  1,
  102,
  0,
  0,
  10,
  5,
  1,
  3,
  0,
  0,
  11,
);

function trap() {
  new WebAssembly.Instance(new WebAssembly.Module(TRAP)).exports.f();
}

let fits = 0;
const behaviours = new Map([
  ['trap', trap],
  [
    'hang',
    () => {
      for (;;);
    },
  ],
  ['exit', () => process.exit(3)],
  [
    'die',
    () => {
      setImmediate(() => {
        throw new Error('out of memory');
      });
      return undefined;
    },
  ],
  ['wild', (job) => job.predictSeconds.map(() => 1e35)],
  ['no number', (job) => job.predictSeconds.map(() => Number.NaN)],
  // How many fits the thread has made says whether it is a new one.
  ['count', (job) => job.predictSeconds.map(() => fits / 10)],
]);

parentPort.on('message', (job) => {
  fits += 1;
  const [behaviour] = job.seasonalities.map(({ name }) => names.get(name));
  try {
    const points = behaviours.get(behaviour ?? 'count')(job);
    if (points === undefined) return;
    parentPort.postMessage(
      { kind: 'result', result: { points, noise: 0.1, trendChanges: 25, trendChangeSize: 0.01 } },
      [],
    );
  } catch (thrown) {
    parentPort.postMessage({ kind: thrown.name === 'RuntimeError' ? 'trap' : 'error', message: thrown.message }, []);
  }
});

// A season is all that a series can tell the thread.
const names = new Map([
  ['season 4', 'trap'],
  ['season 5', 'hang'],
  ['season 6', 'exit'],
  ['season 7', 'die'],
  ['season 8', 'wild'],
  ['season 9', 'no number'],
]);

parentPort.postMessage({ kind: 'ready' }, []);
