import { accessSync, constants } from 'node:fs';
import { RunningProcess, runCommand } from '../../testkit/running-process.ts';

/** A program that is not in Debian. An environment variable contains the path of its binary. */
export interface PeerBinary {
  /** `Fluent Bit`, for messages and tables. */
  readonly name: string;
  /** `BENCH_FLUENT_BIT` */
  readonly variable: string;
  /** The arguments that print its version. */
  readonly versionArguments: readonly string[];
}

/** Returns the version. Throws if the variable is not set, or if its file cannot be executed. */
export async function preparePeer(peer: PeerBinary): Promise<string> {
  const printed = await runCommand({
    name: peer.name,
    command: peerPath(peer),
    args: peer.versionArguments,
  });
  return /\d+\.\d+(\.\d+)?\S*/.exec(printed)?.[0] ?? printed.trim().slice(0, 40);
}

export function startPeer(
  peer: PeerBinary,
  half: 'sender' | 'receiver',
  args: readonly string[],
): RunningProcess {
  return RunningProcess.start({ name: `${peer.name} ${half}`, command: peerPath(peer), args });
}

function peerPath({ variable }: PeerBinary): string {
  const path = process.env[variable];
  if (path === undefined || path === '') throw new Error(`set ${variable} to the path of its binary`);
  accessSync(path, constants.X_OK);
  return path;
}
