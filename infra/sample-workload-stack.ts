import type { IStackSynthesizer } from 'aws-cdk-lib';
import { BootstraplessSynthesizer, Fn, Stack } from 'aws-cdk-lib';
import { CfnAutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import { CfnLaunchTemplate } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { LinkedAccountConfig, PoolConfig } from './config-schema.ts';
import { LENDING_TAG, sampleWorkloadStackName } from './names.ts';
import type { CheckedSamples } from './samples.ts';

interface SampleWorkloadStackProps {
  readonly linkedAccount: LinkedAccountConfig;
  readonly samples: CheckedSamples;
}

const IMAGE = 'resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64';

/** Auto Scaling groups that stand for a user's own, in the emulator. Real accounts have theirs. */
export class SampleWorkloadStack extends Stack {
  constructor(scope: Construct, props: SampleWorkloadStackProps) {
    const { accountId: account, region, name, pools } = props.linkedAccount;
    super(scope, sampleWorkloadStackName(account, region), {
      env: { account, region },
      description: `Sample groups of ${name}`,
      synthesizer: new BootstraplessSynthesizer() as IStackSynthesizer,
    });
    for (const [index, pool] of pools.entries()) {
      const sizes = props.samples[`${account}/${region}/${pool.groupName}`];
      if (sizes !== undefined) this.#group(index, pool, sizes);
    }
  }

  #group(index: number, pool: PoolConfig, sizes: CheckedSamples[string]): void {
    const template = new CfnLaunchTemplate(this, `LaunchTemplate${index}`, {
      launchTemplateName: `${pool.groupName}-sample`,
      launchTemplateData: {
        imageId: IMAGE,
        instanceType: pool.instanceType,
        metadataOptions: { httpTokens: 'required' },
      },
    });
    const { minSize, desiredCapacity, maxSize, lendingEnabled } = sizes;
    new CfnAutoScalingGroup(this, `Group${index}`, {
      autoScalingGroupName: pool.groupName,
      minSize: String(minSize),
      desiredCapacity: String(desiredCapacity),
      maxSize: String(maxSize),
      availabilityZones: [Fn.select(0, Fn.getAzs())],
      launchTemplate: { launchTemplateId: template.ref, version: template.attrLatestVersionNumber },
      metricsCollection: [{ granularity: '1Minute' }],
      ...(lendingEnabled ? { tags: [{ ...LENDING_TAG, propagateAtLaunch: false }] } : {}),
    });
  }
}
