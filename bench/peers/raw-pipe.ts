import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RunningProcess } from '../../testkit/running-process.ts';
import { type Contender, LOG_NAME } from '../contender.ts';
import { untilListening } from '../until-listening.ts';

/**
 * The upper limit for any program in Node: reads a file in large pieces into a socket, and the socket into a
 * file, with one fdatasync at the end. It cuts no records, keeps no state, and survives no failure.
 */
export function rawPipe(): Contender {
  return {
    name: 'raw net pipe in Node',
    key: 'raw-pipe',
    prepare: () => Promise.resolve(process.version),
    async start({ logDirectory, outputPath, receiverPort, connectPort }) {
      let synced = (): void => {};
      const finished = new Promise<void>((resolve) => {
        synced = resolve;
      });
      const receiver = RunningProcess.start({
        name: 'raw receiver',
        command: process.execPath,
        args: [half('receiver'), String(receiverPort), outputPath],
        onStdout: () => synced(),
      });
      await untilListening(receiverPort, receiver);
      const sender = RunningProcess.start({
        name: 'raw sender',
        command: process.execPath,
        args: [half('sender'), String(connectPort), join(logDirectory, LOG_NAME)],
      });
      return { sender, receiver, finished };
    },
  };
}

function half(name: 'sender' | 'receiver'): string {
  return fileURLToPath(new URL(`raw-pipe-${name}.js`, import.meta.url));
}
