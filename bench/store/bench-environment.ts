import { Writable } from 'node:stream';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { EmitterEnvironment } from '../../src/emitters/emitter.ts';
import { systemClock } from '../../src/runtime/clock.ts';

/** For an emitter that only writes generated rows. */
export function benchEnvironment(stateDirectory: string): EmitterEnvironment {
  return {
    name: 'bench',
    state: undefined,
    stateDirectory,
    logger: pino({ level: 'warn' }, process.stderr),
    metrics: new Registry(),
    clock: systemClock,
    stdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
  };
}
