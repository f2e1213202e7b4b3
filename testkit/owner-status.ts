import { getStatus } from '../src/aggregator/api/operations/queue-operations.ts';
import type { AggregatorStatus } from '../src/aggregator/api/operations/queue-reports.ts';
import type { CollectorStatus } from '../src/collector/collector-reports.ts';
import { getCollectorStatus } from '../src/collector/operations.ts';
import { callControl } from '../src/runtime/control/control-client.ts';
import { callHandler } from '../src/runtime/http/call-handler.ts';
import type { HttpHandler } from '../src/runtime/http/http-contract.ts';
import type { AnyTypedOperation } from '../src/runtime/operations/operation.ts';
import { operationAnswer } from '../src/runtime/operations/operation-answer.ts';
import { type CallAnswer, type CallInput, operationCall } from '../src/runtime/operations/operation-call.ts';

/** Calls an operation of the process that runs on a state directory. Rejects when no process runs. */
export async function callProcess<Called extends AnyTypedOperation>(
  directory: string,
  operation: Called,
  input: CallInput<Called>,
): Promise<CallAnswer<Called>> {
  const reply = await callControl(directory, operationCall(operation, input));
  if (reply === undefined) throw new Error(`no process runs on ${directory}`);
  return operationAnswer(operation, reply) as CallAnswer<Called>;
}

/** Calls an operation of a state that is open in this process. */
export async function callOpened<Called extends AnyTypedOperation>(
  { handle }: { readonly handle: HttpHandler },
  operation: Called,
  input: CallInput<Called>,
): Promise<CallAnswer<Called>> {
  const reply = await callHandler(handle, operationCall(operation, input));
  return operationAnswer(operation, reply) as CallAnswer<Called>;
}

export function aggregatorStatus(directory: string): Promise<AggregatorStatus> {
  return callProcess(directory, getStatus, {});
}

export function collectorStatus(directory: string): Promise<CollectorStatus> {
  return callProcess(directory, getCollectorStatus, { query: { verbose: true } });
}
