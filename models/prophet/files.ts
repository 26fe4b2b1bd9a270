import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BundledFile } from '../lstm/files.ts';

const STAN_FILES = ['prophet-wasmstan.core.wasm', 'prophet-wasmstan.core2.wasm'];

/** The WebAssembly that the fitting thread loads from beside its bundle. Only to be called in the repository. */
export function prophetFiles(): readonly BundledFile[] {
  const { resolve } = createRequire(import.meta.url);
  const beside = (module: string, name: string) => ({ name, path: join(dirname(resolve(module)), name) });
  return [
    beside('@bsull/augurs/prophet', 'prophet_bg.wasm'),
    ...STAN_FILES.map((name) => beside('@bsull/augurs-prophet-wasmstan', name)),
  ];
}

/**
 * The fitting thread: a module to bundle from `path`, with `PROPHET_THREAD_BUILD`, and to put under this name beside each
 * bundle that uses Prophet. Only to be called in the repository.
 */
export function prophetThread(): BundledFile {
  return { name: 'prophet-worker.mjs', path: fileURLToPath(new URL('fit-worker.ts', import.meta.url)) };
}

/**
 * How esbuild has to bundle the fitting thread. The platform is not "node": the WASI layer that it would then choose starts a
 * thread of its own from a file that is not there.
 */
export const PROPHET_THREAD_BUILD = {
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  target: 'node24',
  mainFields: ['module', 'main'] as string[],
  external: ['node:*', 'fs/promises'] as string[],
} as const;
