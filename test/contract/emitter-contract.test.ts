import { describe, expect, test } from 'vitest';
import { emitterTypes } from '../../src/emitters/registry.ts';
import { WorkerEmitter } from '../../src/emitters/worker/worker-emitter.ts';
import { THREAD_ARGUMENTS } from '../support/thread-arguments.ts';
import { emitterContract, type MakeEmitter } from './emitter-contract.ts';
import { emitterFixtures } from './emitter-fixtures.ts';

const plainly: MakeEmitter = (type, configuration, environment) => type.create(configuration, environment);

const inThread: MakeEmitter = ({ type }, configuration, environment) =>
  new WorkerEmitter({ type, configuration, environment, execArgv: THREAD_ARGUMENTS });

test('every type of emitter has a fixture here', () => {
  expect(emitterFixtures.map(({ type }) => type)).toEqual(emitterTypes.map(({ type }) => type));
});

for (const fixture of emitterFixtures) {
  const type = emitterTypes.find((each) => each.type === fixture.type);
  if (type === undefined) continue;
  describe(`emitter ${type.type}`, () => emitterContract(type, fixture, plainly));
}

for (const fixture of emitterFixtures.filter(({ type }) => type === 'file')) {
  const type = emitterTypes.find((each) => each.type === fixture.type);
  if (type === undefined) continue;
  describe(`emitter ${type.type} in a worker thread`, () => emitterContract(type, fixture, inThread));
}
