import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { loadConfig } from './config.ts';
import { configPath, synthesizeOrExplain } from './config-path.ts';
import type { Config } from './config-schema.ts';
import { HubStack } from './hub-stack.ts';
import { LinkedAccountStack } from './linked-stack.ts';

/** Context `deletionProtection=false` is for stacks that are thrown away, as in the emulator. */
function build(app: App, config: Config): void {
  const deletionProtection = String(app.node.tryGetContext('deletionProtection')) !== 'false';
  const hub = new HubStack(app, { config, deletionProtection });
  const deployRole = config.deployRoleName === undefined ? {} : { deployRoleName: config.deployRoleName };
  for (const linkedAccount of config.linkedAccounts) {
    // The forwarding rule's target has to exist first.
    new LinkedAccountStack(app, { hub: config.hub, linkedAccount, ...deployRole }).addStackDependency(hub);
  }
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
}

// Without autoSynth: a wrong configuration would still write an empty assembly when the process ends.
synthesizeOrExplain(() => {
  const app = new App({ autoSynth: false });
  build(app, loadConfig(configPath(app)));
  app.synth();
});
