import { join } from 'node:path';
import { RunningProcess } from '../../../testkit/running-process.ts';
import type { UnpackedPackages } from '../../peers/debian-packages.ts';

/** A run of loggen over TCP: it sends numbered messages, and ends when its connection breaks. */
export function startLoggen(packages: UnpackedPackages, port: number, messages: number): RunningProcess {
  const own = join(packages.root, 'usr/lib/syslog-ng');
  return RunningProcess.start({
    name: 'loggen',
    command: join(packages.root, 'usr/bin/loggen'),
    args: [
      ...['--stream', '--inet', '--number', String(messages), '--rate', '2000', '--size', '200'],
      ...['127.0.0.1', String(port)],
    ],
    env: {
      LD_LIBRARY_PATH: `${own}:${packages.libraryPath}`,
      SYSLOGNG_PREFIX: join(packages.root, 'usr'),
    },
  });
}

/** The run and the number of a message of loggen. */
export function loggenNumber(text: string): { readonly run: string; readonly number: number } | undefined {
  const found = /seq: (\d+), thread: \d+, runid: (\d+)/.exec(text);
  const [, number, run] = found ?? [];
  return run === undefined ? undefined : { run, number: Number(number) };
}
