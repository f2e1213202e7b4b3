import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { request } from '../api/client.ts';
import { isAbort } from '../api/problem.ts';
import { Button } from '../components/button.tsx';
import { Icon } from '../components/icon.tsx';
import { LogText } from '../components/texts.tsx';
import { type Choice, choicesFor, type KnownField, placeAt, withChoice } from './completion.ts';
import { filterOf } from './query-filter.ts';
import './query.css';

export interface QueryProblem {
  readonly message: string;
  readonly offset: number;
  readonly length: number;
}

interface QueryBarProps {
  readonly label: string;
  readonly query: string;
  readonly fields: readonly KnownField[];
  readonly onQuery: (query: string) => void;
  readonly placeholder: string;
}

const CHECK_DELAY_MS = 250;

/** The input of a query: completion of fields and values, and an error under its place. `/` moves the focus here. */
export function QueryBar({ label, query, fields, onQuery, placeholder }: QueryBarProps) {
  const [draft, setDraft] = useState(query);
  const [cursor, setCursor] = useState(query.length);
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const caret = useRef<number | undefined>(undefined);
  const id = useId();
  // Before the next key: a later move of the cursor would put typed text in a wrong order.
  useLayoutEffect(() => {
    if (caret.current !== undefined) input.current?.setSelectionRange(caret.current, caret.current);
    caret.current = undefined;
  });
  // The address has changed: by a click on a value, or by the back button.
  useEffect(() => setDraft(query), [query]);
  const problem = useCheck(draft);
  const place = placeAt(draft, cursor);
  const choices = isOpen ? choicesFor(place, fields) : [];
  const active = chosen < choices.length ? chosen : -1;

  const accept = (choice: Choice) => {
    const next = withChoice(draft, place, choice);
    setDraft(next.query);
    setCursor(next.cursor);
    setChosen(-1);
    caret.current = next.cursor;
  };
  const submit = () => {
    setOpen(false);
    // It is shown already; the rows of the previous query stay.
    if (problem !== undefined) return;
    onQuery(draft.trim());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const choice = choices[active];
    if (event.key === 'Escape') {
      if (isOpen) setOpen(false);
      else input.current?.blur();
    } else if (event.key === 'Enter' && choice === undefined) submit();
    else if (event.key === 'Enter' && choice !== undefined) accept(choice);
    else if (event.key === 'Tab' && choice !== undefined) accept(choice);
    else if (event.key === 'ArrowDown' || (event.key === ' ' && event.ctrlKey)) {
      setOpen(true);
      setChosen(choices.length === 0 ? 0 : (active + 1) % choices.length);
    } else if (event.key === 'ArrowUp' && isOpen) setChosen(active <= 0 ? choices.length - 1 : active - 1);
    else return;
    event.preventDefault();
  };
  const onInput = (event: { readonly currentTarget: HTMLInputElement }) => {
    setDraft(event.currentTarget.value);
    setCursor(event.currentTarget.selectionStart ?? event.currentTarget.value.length);
    setOpen(true);
    setChosen(-1);
  };
  return (
    <form
      class="query"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div class="query-box">
        <Icon name="search" />
        <input
          ref={input}
          class="query-input mono"
          data-query-input
          type="text"
          role="combobox"
          aria-label={label}
          aria-expanded={choices.length > 0}
          aria-controls={`${id}-choices`}
          aria-autocomplete="list"
          aria-activedescendant={active === -1 ? undefined : `${id}-${active}`}
          aria-invalid={problem !== undefined}
          aria-describedby={`${id}-problem`}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          maxLength={8000}
          placeholder={placeholder}
          value={draft}
          onInput={onInput}
          onKeyDown={onKeyDown}
          onClick={(event) => setCursor(event.currentTarget.selectionStart ?? 0)}
          onBlur={() => setOpen(false)}
        />
        {draft !== '' && (
          <Button
            icon="close"
            kind="quiet"
            class="small"
            label="Clear the query"
            onClick={() => {
              setDraft('');
              onQuery('');
              input.current?.focus();
            }}
          />
        )}
        <Choices id={id} choices={choices} active={active} onChoice={accept} />
      </div>
      <div id={`${id}-problem`} role="alert">
        {problem !== undefined && <ProblemMark query={draft} problem={problem} />}
      </div>
    </form>
  );
}

interface ChoicesProps {
  readonly id: string;
  readonly choices: readonly Choice[];
  readonly active: number;
  readonly onChoice: (choice: Choice) => void;
}

function Choices({ id, choices, active, onChoice }: ChoicesProps) {
  return (
    <div
      id={`${id}-choices`}
      class="choices"
      role="listbox"
      aria-label="Completions"
      hidden={choices.length === 0}
    >
      {choices.map((choice, at) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the input handles the keys
        <div
          key={choice.text}
          id={`${id}-${at}`}
          class="choice"
          role="option"
          aria-selected={at === active}
          // Before the input loses the focus.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onChoice(choice)}
        >
          <span class="mono">
            <LogText text={choice.text} />
          </span>
          <span class="muted">{choice.detail}</span>
        </div>
      ))}
    </div>
  );
}

/** Under the place where the error is. */
function ProblemMark({ query, problem }: { readonly query: string; readonly problem: QueryProblem }) {
  const isLate = problem.offset > 60;
  const offset = isLate ? 0 : problem.offset;
  return (
    <div class="query-problem">
      {!isLate && (
        <div class="query-mark mono" aria-hidden="true">
          {' '.repeat(offset)}
          {'^'.repeat(Math.max(1, Math.min(problem.length, 60)))}
        </div>
      )}
      <p>
        {problem.message}
        {isLate && (
          <span class="mono"> near {query.slice(Math.max(0, problem.offset - 10), problem.offset + 10)}</span>
        )}
      </p>
    </div>
  );
}

interface CheckAnswer {
  readonly valid: boolean;
  readonly problems: readonly (QueryProblem & { readonly nearest?: readonly string[] })[];
}

/** Checks an expression when typing has paused; a plain text cannot be wrong. */
function useCheck(query: string): QueryProblem | undefined {
  const [problem, setProblem] = useState<QueryProblem | undefined>(undefined);
  useEffect(() => {
    const filter = filterOf(query);
    setProblem(undefined);
    if (filter.where === undefined) return;
    const expression = filter.where;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      request<CheckAnswer>('expressions/check', {
        method: 'POST',
        body: { expression },
        signal: abort.signal,
      })
        .then(({ problems: [first] }) => {
          if (first === undefined) return;
          setProblem({ ...first, offset: filter.queryOffset(first.offset) });
        })
        .catch((error: unknown) => {
          // The search itself reports the same error.
          if (!isAbort(error)) setProblem(undefined);
        });
    }, CHECK_DELAY_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [query]);
  return problem;
}

/** For the key `/`. */
export function focusQuery(): void {
  const input = document.querySelector<HTMLInputElement>('[data-query-input]');
  input?.focus();
  input?.select();
}
