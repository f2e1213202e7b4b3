import type { Json } from '../records/json.ts';
import type { ControlHandlers } from '../runtime/control/control.ts';
import type {
  AggregatorStatus,
  DeadLetterReport,
  EmitterReport,
} from '../runtime/control/control-commands.ts';
import { ControlError } from '../runtime/control/control-error.ts';
import type { Queue } from '../storage/queue/queue.ts';
import type { DeadLetterSummary } from '../storage/queue/queue-contract.ts';

/** Control commands of the process that owns an aggregator's state directory. */
export function aggregatorControl(
  queue: Queue,
  running: {
    /** Names in the configuration; none when no aggregator runs. */
    readonly configured: ReadonlySet<string>;
    readonly deadLettersDiscarded?: () => void;
    readonly entrySkipped?: (emitter: string) => void;
  } = { configured: new Set() },
): ControlHandlers {
  const letters = queue.deadLetters;
  const selected = ({ ids, emitter }: Selection) =>
    ids ?? letters.list(emitter ?? undefined).map(({ id }) => id);
  return {
    status: async () => json<AggregatorStatus>({ role: 'aggregator', ...queue.balance() }),
    'dead-letters.list': async (input) => json(letters.list(emitterOf(input) ?? undefined).map(report)),
    'dead-letters.show': async (input) => {
      const id = textOf(input, 'id');
      const letter = letters.list().find((each) => each.id === id);
      const records = letter === undefined ? undefined : await letters.read(id);
      if (letter === undefined || records === undefined) {
        throw new ControlError('not-found', `Cannot show dead letter ${id}: it does not exist.`);
      }
      const { format, resource, data } = records;
      return json({
        letter: report(letter),
        format,
        resource: Object.fromEntries(resource),
        data: Buffer.from(data).toString('base64'),
      });
    },
    'dead-letters.replay': async (input) => ({
      count: await letters.requestReplay(selected(selectionOf(input))),
    }),
    'dead-letters.discard': async (input) => {
      const count = await letters.discard(selected(selectionOf(input)));
      running.deadLettersDiscarded?.();
      return { count };
    },
    'emitters.list': async () =>
      json(
        queue.knownEmitters().map(
          ({ name, queued, deadLettered }): EmitterReport => ({
            name,
            configured: running.configured.has(name),
            queued,
            deadLettered,
          }),
        ),
      ),
    'emitters.forget': async (input) => {
      const name = textOf(input, 'name');
      if (running.configured.has(name)) {
        throw new ControlError(
          'in-use',
          `Cannot forget emitter ${name}: it is configured. Remove it from the configuration first.`,
        );
      }
      if (!(await queue.forgetEmitter(name)))
        throw new ControlError('not-found', `Cannot forget emitter ${name}: it does not exist.`);
      return {};
    },
    'emitters.skip': async (input) => {
      const name = textOf(input, 'name');
      if (!queue.knownEmitters().some((emitter) => emitter.name === name))
        throw new ControlError('not-found', `Cannot skip an entry of emitter ${name}: it does not exist.`);
      const lost = await queue.skipCorruptEntry(name);
      if (lost === undefined) {
        throw new ControlError(
          'not-damaged',
          `Cannot skip an entry of emitter ${name}: its next entry is not damaged.`,
        );
      }
      running.entrySkipped?.(name);
      return json(lost);
    },
  };
}

interface Selection {
  readonly ids: readonly string[] | null;
  readonly emitter: string | null;
}

function report(letter: DeadLetterSummary): DeadLetterReport {
  return { ...letter, rejectedTimeUnixNano: letter.rejectedTimeUnixNano.toString() };
}

function fields(input: Json): { readonly [key: string]: Json | undefined } {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
    ? (input as { readonly [key: string]: Json })
    : {};
}

function textOf(input: Json, key: string): string {
  const value = fields(input)[key];
  if (typeof value !== 'string')
    throw new ControlError('invalid-request', `Invalid request: "${key}" is missing.`);
  return value;
}

function emitterOf(input: Json): string | null {
  const { emitter } = fields(input);
  return typeof emitter === 'string' ? emitter : null;
}

function selectionOf(input: Json): Selection {
  const { ids } = fields(input);
  const list = Array.isArray(ids) ? ids.filter((id): id is string => typeof id === 'string') : null;
  return { ids: list, emitter: emitterOf(input) };
}

/** These types are JSON; the compiler cannot verify it. */
function json<T>(value: T): Json {
  return value as unknown as Json;
}
