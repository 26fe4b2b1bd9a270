import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** A file that a bundle needs beside it. */
export interface BundledFile {
  /** Where it is in the repository or its packages: an absolute path. */
  readonly path: string;
  /** What it has to be called beside the bundle. */
  readonly name: string;
}

const WEIGHTS_NAME = 'lstm-weights.onnx';
const RUNTIME_NAME = 'ort-wasm-simd-threaded.wasm';

/** The files that a bundle of anything that forecasts with the LSTM needs beside it. Only to be called in the repository. */
export function lstmFiles(): readonly BundledFile[] {
  return [
    { path: fileURLToPath(new URL('weights.onnx', import.meta.url)), name: WEIGHTS_NAME },
    { path: createRequire(import.meta.url).resolve(`onnxruntime-web/${RUNTIME_NAME}`), name: RUNTIME_NAME },
  ];
}

/**
 * Where the files are: beside the bundle that this module has become part of, or else in the repository.
 * @throws Error when they are in neither place
 */
export function locateLstmFiles(): { readonly weights: string; readonly runtime: string } {
  const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const bundled = { weights: beside(WEIGHTS_NAME), runtime: beside(RUNTIME_NAME) };
  if (existsSync(bundled.weights) && existsSync(bundled.runtime)) return bundled;
  const [weights, runtime] = lstmFiles();
  if (weights === undefined || runtime === undefined || !existsSync(weights.path)) {
    throw new Error(`weights of the LSTM: expected ${bundled.weights} and ${bundled.runtime}`);
  }
  return { weights: weights.path, runtime: runtime.path };
}
