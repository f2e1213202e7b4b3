import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { STATE_OPERATIONS } from '../../src/aggregator/api/operations/operations.ts';
import { COLLECTOR_OPERATIONS } from '../../src/collector/operations.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Role } from '../../src/runtime/configuration/state-directory.ts';
import { ControlServer } from '../../src/runtime/control/control-server.ts';
import type { HttpHandler } from '../../src/runtime/http/http-contract.ts';
import type { Operation, OperationInput } from '../../src/runtime/operations/operation.ts';
import { loggedOperations } from '../../src/runtime/operations/operation-events.ts';
import { operationRoutes } from '../../src/runtime/operations/operation-routes.ts';
import { ownerHandler } from '../../src/runtime/operations/owner-handler.ts';
import { capturedLogger } from './captured-logger.ts';
import { temporaryDirectory } from './temporary-directory.ts';

type Input = OperationInput<unknown, unknown, unknown>;

/** Answers of a fake process, by the id of the operation. */
export type FakeAnswers = Readonly<Record<string, (input: Input) => Promise<unknown>>>;

/** The real requests of a role, with answers of the test. */
export function fakeOwner(role: Role, answers: FakeAnswers): HttpHandler {
  const table: readonly Operation<never>[] = role === 'aggregator' ? STATE_OPERATIONS : COLLECTOR_OPERATIONS;
  const operations = table
    .filter(({ id }) => answers[id] !== undefined)
    .map(
      (operation): Operation<undefined> => ({
        ...operation,
        run: async (_context, input) => await answers[operation.id]?.(input),
      }),
    );
  const events = loggedOperations(capturedLogger().logger);
  return ownerHandler(
    operationRoutes({ operations, context: undefined, proven: 'owner', clock: systemClock, events }),
  );
}

export async function fakeStateDirectory(role: Role, path?: string): Promise<string> {
  const directory = path ?? (await temporaryDirectory());
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'layout.json'), JSON.stringify({ role, version: 1 }));
  return directory;
}

/** A state directory with a process that answers. */
export async function ownedDirectory(role: Role, answers: FakeAnswers, path?: string): Promise<string> {
  const directory = await fakeStateDirectory(role, path);
  const { logger } = capturedLogger();
  const server = new ControlServer({ directory, handle: fakeOwner(role, answers), logger });
  await server.start();
  onTestFinished(() => server.stop(AbortSignal.abort()));
  return directory;
}

export const answerWith = (value: unknown) => async () => value;

/** Keeps the inputs of the requests. */
export function recording(answer: unknown) {
  const inputs: Omit<Input, 'request'>[] = [];
  const run = async ({ request: _request, ...input }: Input) => {
    inputs.push(input);
    return answer;
  };
  return { run, inputs };
}
