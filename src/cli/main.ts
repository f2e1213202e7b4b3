import type { EarlySignals } from './early-signals.ts';
import { EXIT } from './output/exit-codes.ts';
import { processIo } from './output/io.ts';
import { run } from './run.ts';

/** What a finished command may leave behind (a socket that lingers, a timer) does not keep the process from ending. */
const LINGER_MS = 1000;

/** Runs the command line of this process to its end. */
export async function main(signals: EarlySignals, isService: boolean): Promise<void> {
  // Warnings of Node and of packages: the operator cannot act on them, and they would stand between our log lines.
  process.noDeprecation = true;
  // `mega-collector status | head` has read enough: no reason for a stack trace. Emitters look after their own writes.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!isService) process.exit(EXIT.ok);
  });
  process.exitCode = await run(process.argv.slice(2), processIo(signals));
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
