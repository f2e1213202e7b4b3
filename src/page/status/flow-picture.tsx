import type { ComponentChildren } from 'preact';
import type { AggregatorStatus, CollectorReport, EmitterStatus } from '../api/status.ts';
import { BytesText, NumberText } from '../components/texts.tsx';
import { byteSize, percentage, shortNumber } from '../text/numbers.ts';
import { isFailing, queuedOf } from './emitter-state.ts';

interface FlowPictureProps {
  readonly status: AggregatorStatus;
  readonly collectors: readonly CollectorReport[] | undefined;
}

/** Collectors, queue and emitters, in the order in which records pass them. */
export function FlowPicture({ status, collectors }: FlowPictureProps) {
  const { intake, accepted, disk, diskBytes } = status;
  const connected = collectors?.filter((each) => each.connected).length ?? intake?.collectors;
  const lagBytes = collectors?.reduce((sum, each) => sum + (each.lagBytes ?? 0), 0);
  return (
    <ol class="flow" aria-label="The path of the records">
      <Stage title="Collectors" value={connected === undefined ? '-' : `${connected} connected`}>
        {lagBytes !== undefined && <p>{byteSize(lagBytes)} not yet sent</p>}
        {intake !== undefined && <p>{shortNumber(intake.streams)} streams</p>}
      </Stage>
      <Stage
        title="Intake"
        value={
          intake === undefined ? (
            <NumberText value={accepted.records} />
          ) : (
            `${shortNumber(intake.recordsPerSecond)}/s`
          )
        }
      >
        {intake !== undefined && <p>{byteSize(intake.bytesPerSecond)}/s</p>}
        <p>
          <NumberText value={accepted.records} /> accepted
        </p>
      </Stage>
      <Stage title="Queue" value={<BytesText bytes={disk?.usedBytes ?? diskBytes} />}>
        {disk !== undefined && <p>{percentage(disk.usedBytes / disk.limitBytes)} of its limit</p>}
      </Stage>
      <li class="flow-branches">
        <ul>
          {status.emitters.map((emitter) => (
            <EmitterStage key={emitter.emitter} emitter={emitter} />
          ))}
        </ul>
      </li>
    </ol>
  );
}

interface StageProps {
  readonly title: string;
  readonly value: ComponentChildren;
  readonly children?: ComponentChildren;
}

function Stage({ title, value, children }: StageProps) {
  return (
    <li class="flow-stage">
      <h2>{title}</h2>
      <p class="flow-value">{value}</p>
      <div class="muted">{children}</div>
    </li>
  );
}

function EmitterStage({ emitter }: { readonly emitter: EmitterStatus }) {
  const { delivered, recordsPerSecond, deadLettered } = emitter;
  return (
    <li class={isFailing(emitter) ? 'flow-stage failing' : 'flow-stage'}>
      <h2>{emitter.emitter}</h2>
      <p class="flow-value">
        {recordsPerSecond == null ? (
          <NumberText value={delivered.records} />
        ) : (
          `${shortNumber(recordsPerSecond)}/s`
        )}
      </p>
      <div class="muted">
        <p>{queuedOf(emitter)}</p>
        {deadLettered.records > 0 && (
          <p class="warn-text">{shortNumber(deadLettered.records)} in dead letters</p>
        )}
      </div>
    </li>
  );
}
