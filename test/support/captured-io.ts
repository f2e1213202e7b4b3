import { EventEmitter } from 'node:events';
import { Readable, Writable } from 'node:stream';
import type { Io, Signal } from '../../src/cli/output/io.ts';
import type { Services } from '../../src/cli/services.ts';

/** A simulated process for commands: its output is kept, and the test sends signals. */
export interface CapturedIo {
  readonly io: Io;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly send: (signal: Signal) => void;
  /** The codes with which the command ended the process immediately. */
  readonly exits: readonly number[];
}

export function capturedIo({
  environment = {},
  services = {},
  stdin = '',
}: {
  readonly environment?: Io['environment'];
  readonly services?: Partial<Services>;
  readonly stdin?: string;
} = {}): CapturedIo {
  const stdout = captured();
  const stderr = captured();
  const signals = new EventEmitter();
  const exits: number[] = [];
  const io: Io = {
    environment,
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    recordOutput: () => stdout.stream,
    logOutput: () => stderr.stream,
    userId: 1000,
    version: '1.2.3',
    services: {
      createAggregator: missing,
      createCollector: missing,
      createStandalone: missing,
      openOfflineControl: missing,
      ...services,
    },
    onSignal: (signal, listener) => {
      signals.on(signal, listener);
      return () => {
        signals.off(signal, listener);
      };
    },
    exit: (code) => void exits.push(code),
  };
  return { io, stdout: stdout.text, stderr: stderr.text, send: (signal) => void signals.emit(signal), exits };
}

function captured(): { stream: Writable; text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

async function missing(): Promise<never> {
  throw new Error('this test runs no service');
}
