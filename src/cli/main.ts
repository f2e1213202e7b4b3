import type { EarlySignals } from './early-signals.ts';
import { EXIT } from './output/exit-codes.ts';
import { processIo } from './output/io.ts';
import { run } from './run.ts';

/** Sockets and timers that a finished command leaves open end with the process after this time. */
const LINGER_MS = 1000;

/** Runs the command line of this process to its end. */
export async function main(signals: EarlySignals, isService: boolean): Promise<void> {
  // Discards warnings of Node and of packages: the operator cannot act on them, and they would mix with our
  // log lines.
  process.noDeprecation = true;
  // `mega-collector status | head` closes the pipe early, which is no error. Emitters handle errors of their
  // own writes.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!isService) process.exit(EXIT.ok);
  });
  process.exitCode = await run(process.argv.slice(2), processIo(signals));
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
