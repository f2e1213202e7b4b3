import { describe, expect, test } from 'vitest';
import { emitterTypes } from '../../src/emitters/registry.ts';
import { WorkerEmitter } from '../../src/emitters/worker/worker-emitter.ts';
import { THREAD_ARGUMENTS } from '../support/thread-arguments.ts';
import { emitterContract, type MakeEmitter } from './emitter-contract.ts';
import type { EmitterFixture } from './emitter-fixture.ts';
import { emitterFixtures } from './emitter-fixtures.ts';

const plainly: MakeEmitter = async (type, configuration, environment) =>
  await type.create(configuration, environment);

const inThread: MakeEmitter = ({ type }, configuration, environment) =>
  new WorkerEmitter({ type, configuration, environment, execArgv: THREAD_ARGUMENTS });

test('every emitter type has a fixture', () => {
  expect(emitterFixtures.map(({ type }) => type)).toEqual(emitterTypes.map(({ type }) => type));
});

/** Types whose requirements are missing on this machine are skipped by name. */
function contract(fixture: EmitterFixture, how: string, make: MakeEmitter): void {
  const type = emitterTypes.find((each) => each.type === fixture.type);
  if (type === undefined) return;
  const { missing } = fixture;
  const why = missing === undefined ? '' : ` (skipped: ${missing})`;
  describe.skipIf(missing !== undefined)(`emitter ${type.type}${how}${why}`, () =>
    emitterContract(type, fixture, make),
  );
}

for (const fixture of emitterFixtures) contract(fixture, '', plainly);

const IN_THREAD = ['file', 'duckdb', 'postgres'];
for (const fixture of emitterFixtures.filter(({ type }) => IN_THREAD.includes(type))) {
  contract(fixture, ' in a worker thread', inThread);
}
