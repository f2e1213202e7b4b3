import { Field } from './field.tsx';
import type { Option } from './option.ts';

interface Common<Value> {
  readonly label: string;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  readonly hint?: string;
  readonly error?: string | undefined;
}

interface TextProps extends Common<string> {
  readonly placeholder?: string;
  readonly isRequired?: boolean;
  readonly isReadOnly?: boolean;
  /** Names, expressions: in the font of code, and never corrected. */
  readonly isCode?: boolean;
}

export function TextInput({ value, onChange, isCode, ...props }: TextProps) {
  return (
    <Field {...props}>
      {(attributes) => (
        <input
          {...attributes}
          class={isCode === true ? 'mono' : ''}
          spellcheck={isCode !== true}
          autocomplete="off"
          placeholder={props.placeholder}
          required={props.isRequired}
          readOnly={props.isReadOnly}
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

export function NumberInput({ value, onChange, ...props }: Common<string> & { readonly min?: number }) {
  return (
    <Field {...props}>
      {(attributes) => (
        <input
          {...attributes}
          type="number"
          step="any"
          min={props.min}
          required
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

export function Select<Value extends string>({
  value,
  onChange,
  options,
  ...props
}: Common<Value> & { readonly options: readonly Option<Value>[] }) {
  return (
    <Field {...props}>
      {(attributes) => (
        <select
          {...attributes}
          value={value}
          onChange={(event) => onChange(event.currentTarget.value as Value)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function Checkbox({ label, value, onChange }: Pick<Common<boolean>, 'label' | 'value' | 'onChange'>) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  );
}
