import { describe, expect, test } from 'vitest';
import { createEmitter, type EmitterDecorator, OUTER_DECORATORS } from '../../src/emitters/create-emitter.ts';
import { filteredEmitter } from '../../src/emitters/decorators/filtered-emitter.ts';
import { guardedEmitter } from '../../src/emitters/decorators/guarded-emitter.ts';
import { measuredEmitter } from '../../src/emitters/decorators/measured-emitter.ts';
import { stagedEmitter } from '../../src/emitters/decorators/staged-emitter.ts';
import { emitterTypes } from '../../src/emitters/registry.ts';
import { batchOf } from '../../src/records/batch.ts';
import { WORDS } from '../support/hand-made-filter.ts';
import { THREAD_ARGUMENTS } from '../support/thread-arguments.ts';
import { emitterContract, type MakeEmitter } from './emitter-contract.ts';
import type { EmitterFixture } from './emitter-fixture.ts';
import { rabbitmqStreamFixture } from './emitter-fixtures/rabbitmq-stream.ts';
import { emitterFixtures } from './emitter-fixtures.ts';

/** The emitter of the type, without decorators. */
const plain: MakeEmitter = async (type, configuration, environment) =>
  await type.create(configuration, environment);

/** As delivery creates it. */
const decorated: MakeEmitter = (type, configuration, environment) =>
  createEmitter({ type, configuration, environment });

/** As delivery creates it, but always in a worker thread. */
const inThread: MakeEmitter = (type, configuration, environment) =>
  createEmitter({ type: { ...type, inThread: true }, configuration, environment }, THREAD_ARGUMENTS);

/** One decorator alone. A stage that copies each batch is used, since the identity decorates nothing. */
const DECORATORS: Readonly<Record<string, EmitterDecorator>> = {
  'guarded emitter': guardedEmitter,
  'measured emitter': measuredEmitter,
  'staged emitter': stagedEmitter((batch) => ({ batch: batchOf([...batch.slices]) })),
};

test('every emitter type has a fixture', () => {
  expect(emitterFixtures.map(({ type }) => type)).toEqual(emitterTypes.map(({ type }) => type));
});

/** Types whose requirements are missing on this machine are skipped by name. */
function contract(fixture: EmitterFixture, how: string, make: MakeEmitter): void {
  const type = emitterTypes.find((each) => each.type === fixture.type);
  if (type === undefined) return;
  const { missing, variant = '' } = fixture;
  const why = missing === undefined ? '' : ` (skipped: ${missing})`;
  describe.skipIf(missing !== undefined)(`emitter ${type.type}${variant}${how}${why}`, () => {
    fixture.prepare?.();
    emitterContract(type, fixture, make);
  });
}

const IN_THREAD = ['file', 'duckdb', 'postgres'];
contract(rabbitmqStreamFixture, '', plain);
for (const fixture of emitterFixtures) {
  contract(fixture, '', plain);
  const type = emitterTypes.find((each) => each.type === fixture.type);
  // The others have all decorators below.
  if (type?.inThread !== true) contract(fixture, ' with all decorators', decorated);
}
for (const fixture of emitterFixtures.filter(({ type }) => IN_THREAD.includes(type))) {
  contract(fixture, ' in a worker thread', inThread);
}

test('every decorator has a contract test', () => {
  const named = new Set(Object.values(DECORATORS));
  expect(OUTER_DECORATORS.filter((decorator) => !named.has(decorator))).toEqual([]);
  // The stage is the inner one.
  expect(named.size).toBe(OUTER_DECORATORS.length + 1);
});

// One exactly-once emitter and one that writes to a socket.
for (const fixture of emitterFixtures.filter(({ type }) => type === 'file' || type === 'logplex')) {
  for (const [name, decorator] of Object.entries(DECORATORS)) {
    contract(fixture, ` in a ${name}`, async (type, configuration, environment) =>
      decorator(await type.create(configuration, environment), environment),
    );
  }
  contract(fixture, ' in a filtered emitter', async (type, configuration, environment) => {
    const filter = { name: 'words', file: '/words.filter', text: '' };
    const made = await type.create(configuration, environment);
    return await filteredEmitter(made, { name: environment.name, filter }, async () => WORDS);
  });
}
