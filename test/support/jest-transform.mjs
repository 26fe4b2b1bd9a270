// Strips types with the compiler that also bundles the Lambda functions.
import { transformSync } from 'esbuild';

export default {
  process(sourceText, sourcePath) {
    const { code } = transformSync(sourceText, {
      loader: 'ts',
      format: 'esm',
      target: 'node24',
      sourcemap: 'inline',
      sourcefile: sourcePath,
    });
    return { code };
  },
};
