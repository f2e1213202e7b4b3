import type { Clock } from '../../../runtime/clock.ts';
import type { OtlpSourceEvents } from './events.ts';
import type { OtlpListenerConfiguration } from './listener-configuration.ts';
import type { RecordIntake } from './record-intake.ts';

/** Listens at one address. */
export interface OtlpListener {
  readonly connections: number;
  /** Resolves with the address. Rejects with the system's error. */
  open(): Promise<string>;
  /** Accepts no further requests; current ones are answered until the deadline. */
  close(deadline: AbortSignal): Promise<void>;
}

export interface OtlpListenerOptions {
  readonly configuration: OtlpListenerConfiguration;
  /** Its name in metrics. */
  readonly listener: string;
  readonly intake: RecordIntake;
  readonly events: OtlpSourceEvents;
  readonly clock: Clock;
}
