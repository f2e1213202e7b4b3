import type { Clock } from '../../../runtime/clock.ts';
import type { OtlpSourceEvents } from './events.ts';
import type { OtlpListenerConfiguration } from './listener-configuration.ts';
import type { RecordIntake } from './record-intake.ts';

export interface OtlpListenerOptions {
  readonly configuration: OtlpListenerConfiguration;
  /** Its name in metrics. */
  readonly listener: string;
  readonly intake: RecordIntake;
  readonly events: OtlpSourceEvents;
  readonly clock: Clock;
}
