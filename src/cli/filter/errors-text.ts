import type { listFilterErrors } from '../../aggregator/api/operations/filter-operations.ts';
import type { CallAnswer } from '../../runtime/operations/operation-call.ts';
import { count, printable } from '../output/text-table.ts';

type LineErrors = CallAnswer<typeof listFilterErrors>['errors'][number];

/** The errors of each line of the filters, with the first samples. */
export function errorsText(errors: readonly LineErrors[]): string {
  if (errors.length === 0) return 'The filters have no errors.\n';
  return errors.map(lineText).join('');
}

function lineText({ emitter, file, line, count: total, samples }: LineErrors): string {
  const amount = `${count(total)} ${total === 1 ? 'error' : 'errors'}`;
  const title = `${file}:${line}: ${amount}, emitter ${emitter}`;
  const values = samples.map(({ reason, value }) => `  ${reason}: ${JSON.stringify(value)}`);
  return [title, ...values].map((text) => `${printable(text)}\n`).join('');
}
