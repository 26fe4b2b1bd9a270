import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repoRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
// Some dependencies are CommonJS and call `require` for Node's own modules.
const BANNER = "import{createRequire as nodeRequire}from'node:module';const require=nodeRequire(import.meta.url);";

/**
 * One function as a single ES module, the AWS SDK included, so that what runs is what the lockfile names.
 * @param entry path of the source file from the root of the repository
 */
export function functionCode(entry: string): Code {
  return Code.fromAsset(join(repoRoot, dirname(entry)), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never pulled: the local bundling below always succeeds or throws.
      image: DockerImage.fromRegistry('local-bundling-only'),
      // CDK takes bundlings of one folder for the same unless their commands differ.
      command: [entry],
      local: {
        tryBundle(outputDir: string): boolean {
          bundle(entry, join(outputDir, 'index.mjs'));
          return true;
        },
      },
    },
  });
}

function bundle(entry: string, outfile: string): void {
  buildSync({
    absWorkingDir: repoRoot,
    entryPoints: [entry],
    outfile,
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
}
