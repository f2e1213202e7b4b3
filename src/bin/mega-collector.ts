#!/usr/bin/env node
import { EXIT } from './exit-codes.ts';
import { exitWithReader } from './exit-with-reader.ts';
import { processIo } from './io.ts';
import { run } from './run.ts';

/** What a finished command may leave behind (a socket that lingers, a timer) does not keep the process from ending. */
const LINGER_MS = 1000;

// Of Node and of packages; nobody who runs this can do anything about them, and they would stand between our log lines.
process.noDeprecation = true;

// `mega-collector status | head` has read enough: no reason for a stack trace. Emitters look after their own writes.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  if (!isService(process.argv[2])) process.exit(EXIT.ok);
});

// A command that follows writes nothing while nothing arrives, and so gets no EPIPE.
if (!isService(process.argv[2])) exitWithReader(() => process.exit(EXIT.ok));

// Until its own handler stands: a log rotation that comes early must not end what it wanted to reopen files.
if (isService(process.argv[2])) process.on('SIGHUP', () => {});

process.exitCode = await run(process.argv.slice(2), processIo());
setTimeout(() => process.exit(), LINGER_MS).unref();

function isService(command: string | undefined): boolean {
  return command === 'aggregator' || command === 'collector' || command === 'standalone';
}
