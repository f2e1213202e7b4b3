import { Writable } from 'node:stream';
import { Registry } from 'prom-client';
import type { EmitterEnvironment } from '../../src/emitters/emitter.ts';
import { type CapturedLog, capturedLogger } from './captured-logger.ts';
import { FakeClock } from './fake-clock.ts';

/** Captured standard output. */
export interface CapturedOutput extends NodeJS.WritableStream {
  readonly bytes: () => Buffer;
}

export function capturedOutput(): CapturedOutput {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return Object.assign(stream, { bytes: () => Buffer.concat(chunks) });
}

/** The environment of an emitter in a test. */
export function emitterEnvironment(
  overrides: Partial<EmitterEnvironment> = {},
): EmitterEnvironment & { readonly logs: CapturedLog[] } {
  const { logger, lines } = capturedLogger();
  return {
    name: 'test',
    state: undefined,
    stateDirectory: '/nonexistent/mega-collector',
    logger,
    metrics: new Registry(),
    clock: new FakeClock(),
    stdout: capturedOutput(),
    logs: lines,
    ...overrides,
  };
}
