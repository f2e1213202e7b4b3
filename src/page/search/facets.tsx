import { useState } from 'preact/hooks';
import type { Resource } from '../api/use-resource.ts';
import { Button } from '../components/button.tsx';
import { LogText, NumberText } from '../components/texts.tsx';
import type { FieldValue } from '../query/conditions.ts';
import { ConditionButtons } from '../records/condition-buttons.tsx';
import { changeCondition, isInQuery, valueAttributes } from '../records/record-actions.ts';
import { percentage, wholeNumber } from '../text/numbers.ts';
import { visibleText } from '../text/visible-text.ts';

export interface FieldSummary {
  /** As in an expression. */
  readonly name: string;
  readonly kind: 'column' | 'attribute';
  readonly type: 'text' | 'number' | 'boolean' | 'time' | 'json' | 'mixed';
  readonly count: number;
  readonly distinct: number;
  readonly values: readonly { readonly value: string; readonly count: number }[];
}

export interface FieldsAnswer {
  readonly fields: readonly FieldSummary[];
  readonly sampled: number;
  readonly complete: boolean;
}

interface FacetsProps {
  readonly resource: Resource<FieldsAnswer>;
  readonly columns: readonly string[];
  readonly onColumn: (property: string) => void;
}

/** Fields that nearly every record has with another value tell nothing as a list. */
const NOT_LISTED = new Set(['time', 'observed_time', 'body']);
const OPEN_AT_FIRST = new Set(['severity', 'host.name', 'service.name', 'source']);
const MAX_VALUES = 8;

/** What the found records contain: fields, their top values and the share of each, from a sample. */
export function Facets({ resource: { data, problem, isLoading }, columns, onColumn }: FacetsProps) {
  const [wanted, setWanted] = useState('');
  const fields = (data?.fields ?? []).filter(
    ({ name }) => !NOT_LISTED.has(name) && name.toLowerCase().includes(wanted.toLowerCase()),
  );
  return (
    <aside class="facets" aria-label="Fields" aria-busy={isLoading}>
      <input
        class="facet-search"
        type="search"
        aria-label="Find a field"
        placeholder="Find a field"
        value={wanted}
        onInput={(event) => setWanted(event.currentTarget.value)}
      />
      {problem !== undefined && problem.kind !== 'invalid' && <p class="facet-note">{problem.message}</p>}
      {wanted !== '' && fields.length === 0 && <p class="facet-note">No field has this name.</p>}
      {fields.map((field) => (
        <Facet
          key={field.name}
          field={field}
          sampled={data?.sampled ?? 0}
          isColumn={columns.includes(field.name)}
          onColumn={() => onColumn(field.name)}
        />
      ))}
      {data !== undefined && data.sampled > 0 && (
        <p class="facet-note">
          {data.complete
            ? `From all ${wholeNumber(data.sampled)} records.`
            : `From a sample of ${wholeNumber(data.sampled)} records.`}
        </p>
      )}
    </aside>
  );
}

interface FacetProps {
  readonly field: FieldSummary;
  readonly sampled: number;
  readonly isColumn: boolean;
  readonly onColumn: () => void;
}

function Facet({ field, sampled, isColumn, onColumn }: FacetProps) {
  const [isOpen, setOpen] = useState(OPEN_AT_FIRST.has(field.name));
  return (
    <section class="facet">
      <div class="facet-head">
        <h2>
          <Button
            kind="quiet"
            icon={isOpen ? 'down' : 'right'}
            class="facet-name"
            isExpanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          >
            <LogText text={field.name} />
          </Button>
        </h2>
        <span class="muted" title={`${wholeNumber(field.distinct)} different values`}>
          <NumberText value={field.distinct} />
        </span>
        <Button
          kind="quiet"
          icon="columns"
          class="small"
          label={`Column ${field.name}`}
          isPressed={isColumn}
          onClick={onColumn}
        />
      </div>
      {isOpen && (
        <ul class="facet-values">
          {field.values.slice(0, MAX_VALUES).map(({ value, count }) => (
            <FacetValue
              key={value}
              property={field.name}
              value={typedValue(value, field.type)}
              count={count}
              share={sampled === 0 ? 0 : count / sampled}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

function typedValue(value: string, type: FieldSummary['type']): FieldValue {
  if (type === 'number' && value.trim() !== '' && String(Number(value)) === value) return Number(value);
  return type === 'boolean' && (value === 'true' || value === 'false') ? value === 'true' : value;
}

interface FacetValueProps {
  readonly property: string;
  readonly value: FieldValue;
  readonly count: number;
  readonly share: number;
}

function FacetValue({ property, value, count, share }: FacetValueProps) {
  const text = String(value);
  const isIncluded = isInQuery({ property, value, isExcluded: false });
  return (
    <li class="facet-value" {...valueAttributes(property, value)}>
      <button
        type="button"
        class="facet-choice"
        aria-pressed={isIncluded}
        title={`${visibleText(text.slice(0, 200))}: ${wholeNumber(count)} records`}
        onClick={() => changeCondition({ property, value, isExcluded: false })}
      >
        <span class="facet-share" style={{ width: `${Math.min(share, 1) * 100}%` }} />
        <span class="facet-text">{text === '' ? <i>empty</i> : <CutValue text={text.slice(0, 200)} />}</span>
        <span class="facet-percent">{percentage(Math.min(share, 1))}</span>
      </button>
      <span class="facet-actions">
        <ConditionButtons property={property} value={value} />
      </span>
    </li>
  );
}

const MAX_END = 24;

/** A long path is cut before its last part: paths often differ only there. */
function CutValue({ text }: { readonly text: string }) {
  const at = text.lastIndexOf('/');
  const isPath = at > 0 && text.length - at <= MAX_END;
  return (
    <>
      <span class="facet-start">
        <LogText text={isPath ? text.slice(0, at) : text} />
      </span>
      {isPath && <LogText text={text.slice(at)} />}
    </>
  );
}
