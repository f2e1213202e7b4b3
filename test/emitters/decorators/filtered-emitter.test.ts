import { expect, it } from 'vitest';
import { createEmitter } from '../../../src/emitters/create-emitter.ts';
import type { FilterErrorReport } from '../../../src/emitters/filtering/filter-source.ts';
import { textType } from '../../../src/emitters/text/type.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { recordBatch } from '../../support/record-batches.ts';

const never = new AbortController().signal;

it.each(['json', 'body'] as const)(
  'reports the errors of a filter with the flush of its records, as %s',
  async (format) => {
    const reports: FilterErrorReport[] = [];
    const filter = { name: 'a', file: '/none/a.filter', text: '[n] := number(body)' };
    const environment = emitterEnvironment({ filter, onFilterErrors: (report) => reports.push(report) });
    const emitter = await createEmitter({ type: textType, configuration: { format }, environment });
    await emitter.start();
    await emitter.emit(batchOf([recordBatch(['x\n', '7\n', 'y\n'])]), never);
    expect(await emitter.flush(never)).toEqual({ kind: 'delivered' });
    expect(reports).toMatchObject([{ total: 2, byLine: new Map([[1, 2]]) }]);
    await emitter.flush(never);
    expect(reports).toHaveLength(1);
    await emitter.stop(never);
  },
);
