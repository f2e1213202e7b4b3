import { useState } from 'preact/hooks';
import { request } from '../api/client.ts';
import { type MetricDefinition, type MetricPoint, STATISTICS } from '../api/monitoring.ts';
import type { Problem } from '../api/problem.ts';
import { useResource } from '../api/use-resource.ts';
import { showToast } from '../components/toast.tsx';
import { durationOptions } from '../forms/duration-options.ts';
import { Field } from '../forms/field.tsx';
import { errorOf } from '../forms/field-errors.ts';
import { FormDialog } from '../forms/form-dialog.tsx';
import { Select, TextInput } from '../forms/inputs.tsx';
import { useDelayed } from '../forms/use-delayed.ts';
import {
  definitionOf,
  fieldsOfMetric,
  type MetricFields,
  NEW_METRIC,
  type SegmentKind,
} from './metric-fields.ts';
import { PointsChart } from './points-chart.tsx';

export interface MetricFormProps {
  /** The metric that is changed; absent: a new one. */
  readonly metric?: MetricDefinition;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

const PATHS = ['id', 'statistic', 'property', 'filter', 'segment', 'periodSeconds', 'startOffsetSeconds'];
const PERIODS = [10, 60, 300, 900, 3600, 86_400];
const DELAYS = [3600, 21_600, 86_400, 604_800];
const SEGMENT_KINDS: readonly { readonly value: SegmentKind; readonly text: string }[] = [
  { value: 'none', text: 'one series' },
  { value: 'property', text: 'one for each value of a property' },
  { value: 'expression', text: 'true and false of an expression' },
  { value: 'named', text: 'one for each named expression' },
];
const SEGMENT_LABELS: Readonly<Record<SegmentKind, string>> = {
  none: '',
  property: 'Property',
  expression: 'Expression',
  named: 'Named expressions',
};

/** Creates or changes a metric, with a preview of its values on the records of the last hours. */
export function MetricForm({ metric, onClose, onSaved }: MetricFormProps) {
  const [fields, setFields] = useState<MetricFields>(
    metric === undefined ? NEW_METRIC : fieldsOfMetric(metric),
  );
  const change = (changes: Partial<MetricFields>) => setFields((before) => ({ ...before, ...changes }));
  const save = async () => {
    const body = definitionOf(fields, metric);
    if (metric === undefined) await request('metrics', { method: 'POST', body });
    else await request(`metrics/${encodeURIComponent(metric.id)}`, { method: 'PUT', body });
    showToast(metric === undefined ? `Metric ${fields.id} is created.` : `Metric ${metric.id} is changed.`);
    onSaved();
  };
  return (
    <FormDialog
      title={metric === undefined ? 'New metric' : `Change ${metric.id}`}
      action={metric === undefined ? 'Create' : 'Save'}
      {...{ paths: PATHS, save, onClose }}
    >
      {(problem) => (
        <>
          <MetricInputs fields={fields} onChange={change} isNew={metric === undefined} problem={problem} />
          <MetricPreview fields={fields} />
        </>
      )}
    </FormDialog>
  );
}

interface MetricInputsProps {
  readonly fields: MetricFields;
  readonly onChange: (changes: Partial<MetricFields>) => void;
  readonly isNew: boolean;
  readonly problem: Problem | undefined;
}

function MetricInputs({ fields, onChange, isNew, problem }: MetricInputsProps) {
  const error = (path: string) => errorOf(problem, path);
  return (
    <>
      <div class="form-columns">
        <TextInput
          label="Name"
          value={fields.id}
          onChange={(id) => onChange({ id })}
          hint="a-z, 0-9 and _"
          error={error('id')}
          {...{ isCode: true, isRequired: true, isReadOnly: !isNew }}
        />
        <Select
          label="Statistic"
          value={fields.statistic}
          onChange={(statistic) => onChange({ statistic })}
          options={STATISTICS.map((value) => ({ value, text: value }))}
          error={error('statistic')}
        />
        <TextInput
          label="Property"
          value={fields.property}
          onChange={(property) => onChange({ property })}
          hint="* is the records themselves"
          error={error('property')}
          isCode
        />
      </div>
      <TextInput
        label="Records"
        value={fields.filter}
        onChange={(filter) => onChange({ filter })}
        placeholder='status_code >= 500 and url.path starts_with "/api"'
        hint="An expression. Empty: all records"
        error={error('filter')}
        isCode
      />
      <div class="form-columns">
        <Select
          label="Series"
          value={fields.segmentKind}
          onChange={(segmentKind) => onChange({ segmentKind })}
          options={SEGMENT_KINDS}
        />
        {fields.segmentKind !== 'none' && <SegmentInput {...{ fields, onChange, error: error('segment') }} />}
      </div>
      <div class="form-columns">
        <Select
          label="Interval"
          value={fields.periodSeconds}
          onChange={(periodSeconds) => onChange({ periodSeconds })}
          options={durationOptions(PERIODS, fields.periodSeconds)}
          error={error('periodSeconds')}
        />
        <Select
          label="Late records are counted for"
          value={fields.startOffsetSeconds}
          onChange={(startOffsetSeconds) => onChange({ startOffsetSeconds })}
          options={durationOptions(DELAYS, fields.startOffsetSeconds)}
          error={error('startOffsetSeconds')}
        />
      </div>
    </>
  );
}

interface SegmentInputProps {
  readonly fields: MetricFields;
  readonly onChange: (changes: Partial<MetricFields>) => void;
  readonly error: string | undefined;
}

function SegmentInput({ fields: { segmentKind, segment }, onChange, error }: SegmentInputProps) {
  const common = { label: SEGMENT_LABELS[segmentKind], error };
  if (segmentKind !== 'named')
    return (
      <TextInput
        {...common}
        value={segment}
        onChange={(text) => onChange({ segment: text })}
        isCode
        isRequired
      />
    );
  return (
    <Field {...common} hint="A line each, name: expression. A record is in the first one that is true">
      {(attributes) => (
        <textarea
          {...attributes}
          class="mono"
          rows={3}
          spellcheck={false}
          placeholder={'slow: duration > 1000\nfast: duration <= 1000'}
          value={segment}
          onInput={(event) => onChange({ segment: event.currentTarget.value })}
        />
      )}
    </Field>
  );
}

const PREVIEW_DELAY_MS = 500;
const PREVIEW_BUCKETS = 60;

function MetricPreview({ fields }: { readonly fields: MetricFields }) {
  const delayed = useDelayed({ ...fields, id: fields.id === '' ? 'preview' : fields.id }, PREVIEW_DELAY_MS);
  const { data, problem } = useResource(
    (signal) => {
      const from = `${PREVIEW_BUCKETS * Number(delayed.periodSeconds)}s`;
      const body = { definition: definitionOf(delayed), from };
      return request<{ points: readonly MetricPoint[] }>('metrics/preview', { method: 'POST', body, signal });
    },
    [JSON.stringify(delayed)],
  );
  return (
    <section class="preview" aria-label="Preview">
      <h3>Preview of the last {PREVIEW_BUCKETS} intervals</h3>
      {problem !== undefined ? (
        <p class="muted">
          {[problem.message, ...problem.details.map(({ path, message }) => `${path}: ${message}`)].join(' ')}
        </p>
      ) : (
        <PointsChart
          label="Preview"
          points={data?.points ?? []}
          hasSegments={delayed.segmentKind !== 'none'}
          height={150}
          emptyText={data === undefined ? 'Computing ...' : 'No record of this time has a value.'}
        />
      )}
    </section>
  );
}
