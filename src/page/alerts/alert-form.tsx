import { useState } from 'preact/hooks';
import { request } from '../api/client.ts';
import {
  type AlertDefinition,
  type AlertEvent,
  COMPARISONS,
  type MetricPoint,
  type MetricReport,
  NO_DATA,
  STATISTICS,
} from '../api/monitoring.ts';
import type { Problem } from '../api/problem.ts';
import { useResource } from '../api/use-resource.ts';
import { showToast } from '../components/toast.tsx';
import { durationOptions } from '../forms/duration-options.ts';
import { errorOf } from '../forms/field-errors.ts';
import { FormDialog } from '../forms/form-dialog.tsx';
import { Checkbox, NumberInput, Select, TextInput } from '../forms/inputs.tsx';
import { useDelayed } from '../forms/use-delayed.ts';
import { PointsChart } from '../metrics/points-chart.tsx';
import { duration } from '../text/numbers.ts';
import { type AlertFields, definitionOf, fieldsOfAlert, newAlert } from './alert-fields.ts';
import { previewSeconds } from './preview-seconds.ts';

export interface AlertFormProps {
  /** The alert that is changed; absent: a new one. */
  readonly alert?: AlertDefinition;
  /** The metric of a new alert. */
  readonly metric?: string;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

const PATHS = ['id', 'metric', 'statistic', 'comparison', 'level', 'windowSeconds', 'forSeconds', 'noData'];
const WINDOWS = [60, 300, 900, 3600, 21_600, 86_400];
const WAITS = [0, 60, 300, 600, 1800, 3600];
const NO_DATA_TEXTS = {
  'no-data': 'the state is "no data"',
  ok: 'it is ok',
  firing: 'it fires',
  keep: 'it keeps its state',
} as const;

/** Creates or changes an alert, and shows when it would have fired. */
export function AlertForm({ alert, metric = '', onClose, onSaved }: AlertFormProps) {
  const [fields, setFields] = useState<AlertFields>(
    alert === undefined ? newAlert(metric) : fieldsOfAlert(alert),
  );
  const { data } = useResource(
    (signal) => request<{ metrics: readonly MetricReport[] }>('metrics', { signal }),
    [],
  );
  const reports = data?.metrics ?? [];
  const metrics = reports.map(({ definition }) => definition.id);
  const save = async () => {
    const body = definitionOf(fields, alert);
    if (alert === undefined) await request('alerts', { method: 'POST', body });
    else await request(`alerts/${encodeURIComponent(alert.id)}`, { method: 'PUT', body });
    showToast(alert === undefined ? `Alert ${fields.id} is created.` : `Alert ${alert.id} is changed.`);
    onSaved();
  };
  return (
    <FormDialog
      title={alert === undefined ? 'New alert' : `Change ${alert.id}`}
      action={alert === undefined ? 'Create' : 'Save'}
      {...{ paths: PATHS, save, onClose }}
    >
      {(problem) => (
        <>
          <AlertInputs
            fields={fields}
            onChange={(changes) => setFields((before) => ({ ...before, ...changes }))}
            isNew={alert === undefined}
            {...{ metrics, problem }}
          />
          <AlertPreview
            fields={fields}
            periodSeconds={
              reports.find(({ definition }) => definition.id === fields.metric)?.definition.periodSeconds
            }
          />
        </>
      )}
    </FormDialog>
  );
}

interface AlertInputsProps {
  readonly fields: AlertFields;
  readonly onChange: (changes: Partial<AlertFields>) => void;
  readonly isNew: boolean;
  readonly metrics: readonly string[];
  readonly problem: Problem | undefined;
}

function AlertInputs({ fields, onChange, isNew, metrics, problem }: AlertInputsProps) {
  const error = (path: string) => errorOf(problem, path);
  const choices = metrics.includes(fields.metric) ? metrics : [fields.metric, ...metrics];
  const plain = <Value extends string>(values: readonly Value[]) =>
    values.map((value) => ({ value, text: value }));
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
          label="Metric"
          value={fields.metric}
          onChange={(metric) => onChange({ metric })}
          options={choices.map((value) => ({ value, text: value === '' ? 'choose a metric' : value }))}
          error={error('metric')}
        />
      </div>
      <div class="form-columns">
        <Select
          label="Fires when the"
          value={fields.statistic}
          onChange={(statistic) => onChange({ statistic })}
          options={plain(STATISTICS)}
          error={error('statistic')}
        />
        <Select
          label="over"
          value={fields.windowSeconds}
          onChange={(windowSeconds) => onChange({ windowSeconds })}
          options={durationOptions(WINDOWS, fields.windowSeconds)}
          error={error('windowSeconds')}
        />
        <Select
          label="is"
          value={fields.comparison}
          onChange={(comparison) => onChange({ comparison })}
          options={plain(COMPARISONS)}
          error={error('comparison')}
        />
        <NumberInput
          label="Level"
          value={fields.level}
          onChange={(level) => onChange({ level })}
          error={error('level')}
        />
      </div>
      <div class="form-columns">
        <Select
          label="for at least"
          value={fields.forSeconds}
          onChange={(forSeconds) => onChange({ forSeconds })}
          options={durationOptions(WAITS, fields.forSeconds)}
          error={error('forSeconds')}
        />
        <Select
          label="Without values"
          value={fields.noData}
          onChange={(noData) => onChange({ noData })}
          options={NO_DATA.map((value) => ({ value, text: NO_DATA_TEXTS[value] }))}
          error={error('noData')}
        />
      </div>
      <Checkbox label="Notify PagerDuty" value={fields.notify} onChange={(notify) => onChange({ notify })} />
    </>
  );
}

const PREVIEW_DELAY_MS = 500;

interface Preview {
  readonly points: readonly MetricPoint[];
  readonly changes: readonly AlertEvent[];
}

interface AlertPreviewProps {
  readonly fields: AlertFields;
  /** Of the metric; undefined: not known yet. */
  readonly periodSeconds: number | undefined;
}

function AlertPreview({ fields, periodSeconds }: AlertPreviewProps) {
  const delayed = useDelayed({ ...fields, id: fields.id === '' ? 'preview' : fields.id }, PREVIEW_DELAY_MS);
  const isComplete = delayed.metric !== '' && delayed.level !== '';
  const seconds = previewSeconds(delayed, periodSeconds);
  const { data, problem } = useResource<Preview | undefined>(
    (signal) =>
      isComplete
        ? request<Preview>('alerts/preview', {
            method: 'POST',
            body: { definition: definitionOf(delayed), from: `${seconds}s` },
            signal,
          })
        : Promise.resolve(undefined),
    [JSON.stringify(delayed), seconds],
  );
  const fired = data?.changes.filter(({ to }) => to === 'firing').length ?? 0;
  return (
    <section class="preview" aria-label="Preview">
      <h3>Preview of the last {duration(seconds)}</h3>
      {!isComplete && <p class="muted">Choose a metric and a level.</p>}
      {isComplete && problem !== undefined && <p class="muted">{problem.message}</p>}
      {isComplete && problem === undefined && (
        <>
          <p role="status">
            {data === undefined
              ? 'Computing ...'
              : `The alert would have fired ${fired === 1 ? 'once' : `${fired} times`}.`}
          </p>
          <PointsChart
            label="Preview"
            points={data?.points ?? []}
            hasSegments={data?.points.some(({ segment }) => segment !== null) ?? false}
            level={Number(delayed.level)}
            height={140}
            emptyText="The metric has no values in this time."
          />
        </>
      )}
    </section>
  );
}
