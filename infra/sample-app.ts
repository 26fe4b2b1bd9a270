import { App } from 'aws-cdk-lib';
import { loadConfig } from './config.ts';
import { configPath, synthesizeOrExplain } from './config-path.ts';
import { SampleWorkloadStack } from './sample-workload-stack.ts';
import { loadSamples } from './samples.ts';

// An app of its own, so that nobody deploys sample groups together with the product by accident.
synthesizeOrExplain(() => {
  const app = new App({ autoSynth: false });
  const config = loadConfig(configPath(app));
  const samples = loadSamples(process.env['ENTANGLE_SAMPLES'] ?? 'samples.json');
  for (const linkedAccount of config.linkedAccounts) new SampleWorkloadStack(app, { linkedAccount, samples });
  app.synth();
});
