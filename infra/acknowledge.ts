import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** States why a rule of the AwsSolutions pack does not apply to a construct and what is below it. */
export function acknowledge(construct: IConstruct, ruleId: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions-${ruleId}`, reason });
}
