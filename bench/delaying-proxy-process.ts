import { fileURLToPath } from 'node:url';
import { RunningProcess } from '../testkit/running-process.ts';
import { untilListening } from './until-listening.ts';

export interface ProxyPlan {
  readonly listenPort: number;
  readonly receiverPort: number;
  readonly delayMs: number;
}

/** Runs the delaying proxy in a separate process, so that its work is not counted for a contender. */
export async function startDelayingProxy(plan: ProxyPlan): Promise<RunningProcess> {
  const { listenPort, receiverPort, delayMs } = plan;
  const proxy = RunningProcess.start({
    name: 'delaying proxy',
    command: process.execPath,
    args: [
      fileURLToPath(new URL('delaying-proxy.js', import.meta.url)),
      ...[listenPort, receiverPort, delayMs].map(String),
    ],
  });
  await untilListening(listenPort, proxy);
  return proxy;
}
