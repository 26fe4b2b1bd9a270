import { copyFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { OutputFile } from 'esbuild';
import { buildSync } from 'esbuild';
import { lstmFiles } from '../../models/lstm/files.ts';
import { PROPHET_THREAD_BUILD, prophetFiles, prophetThread } from '../../models/prophet/files.ts';
import type { FunctionName } from '../names.ts';
import { FUNCTION_NAMES } from '../names.ts';

const repoRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
// Some dependencies are CommonJS and call `require` for Node's own modules.
const BANNER = "import{createRequire as nodeRequire}from'node:module';const require=nodeRequire(import.meta.url);";

/** Each function as a single ES module, the AWS SDK included, so that what runs is what the lockfile names. */
export class FunctionBundles {
  #files: readonly OutputFile[] | undefined;

  codeOf(name: FunctionName): Code {
    return Code.fromAsset(join(repoRoot, 'functions'), {
      assetHashType: AssetHashType.OUTPUT,
      bundling: {
        // Never pulled: the local bundling below always succeeds or throws.
        image: DockerImage.fromRegistry('local-bundling-only'),
        // CDK takes bundlings of one folder for the same unless their commands differ.
        command: [name],
        local: {
          tryBundle: (outputDir: string): boolean => {
            this.#write(name, outputDir);
            return true;
          },
        },
      },
    });
  }

  #write(name: FunctionName, outputDir: string): void {
    // All are bundled at once, and only when one is needed: they share most of what has to be parsed.
    this.#files ??= bundleAll();
    for (const file of this.#files.filter(({ path }) => basename(dirname(path)) === name)) {
      writeFileSync(join(outputDir, basename(file.path)), file.contents);
    }
    if (name === 'forecast') writeModels(outputDir);
  }
}

/** Weights and WebAssembly of the models, and the thread that one of them runs in, beside the bundle that looks for them there. */
function writeModels(outputDir: string): void {
  for (const file of [...lstmFiles(), ...prophetFiles()]) copyFileSync(file.path, join(outputDir, file.name));
  const thread = prophetThread();
  buildSync({
    ...PROPHET_THREAD_BUILD,
    entryPoints: [thread.path],
    outfile: join(outputDir, thread.name),
    minify: true,
    logLevel: 'error',
  });
}

/** `<name>/index.mjs` and its source map for every function. */
function bundleAll(): OutputFile[] {
  const { outputFiles } = buildSync({
    absWorkingDir: repoRoot,
    entryPoints: Object.fromEntries(FUNCTION_NAMES.map((name) => [`${name}/index`, `functions/${name}.ts`])),
    outdir: 'functions',
    outExtension: { '.js': '.mjs' },
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: BANNER },
    minify: true,
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'error',
  });
  return outputFiles;
}
