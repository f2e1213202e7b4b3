import { useState } from 'preact/hooks';
import { request } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';
import type { CollectorReport, FileExplanation } from '../api/status.ts';
import { Button } from '../components/button.tsx';
import { LogText } from '../components/texts.tsx';
import { DefinitionList } from '../forms/definition-list.tsx';
import { Select, TextInput } from '../forms/inputs.tsx';
import { explanationRows } from './explanation-rows.ts';

interface Answer {
  readonly file: string;
  readonly host: string;
  readonly explanation?: FileExplanation;
  readonly error?: string;
}

/** Asks a connected collector how it reads a file, or why it does not. */
export function ExplainFile({ collectors }: { readonly collectors: readonly CollectorReport[] }) {
  const [chosen, setChosen] = useState('');
  const [file, setFile] = useState('');
  const [isAsking, setAsking] = useState(false);
  const [answer, setAnswer] = useState<Answer>();
  const collector = collectors.find(({ id }) => id === chosen) ?? collectors[0];
  if (collector === undefined) return null;
  const { id, host } = collector;
  const ask = async () => {
    setAsking(true);
    const path = `collectors/${encodeURIComponent(id)}/explain`;
    const result = await request<FileExplanation>(path, { query: { file } }).then(
      (explanation) => ({ explanation }),
      (error: unknown) => ({ error: asProblem(error).message }),
    );
    setAnswer({ file, host, ...result });
    setAsking(false);
  };
  return (
    <>
      <form
        class="explain"
        aria-label="Explain a file"
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        <Select
          label="Collector"
          value={id}
          onChange={setChosen}
          options={collectors.map((each) => ({ value: each.id, text: each.host }))}
        />
        <TextInput
          label="Explain a file"
          value={file}
          onChange={setFile}
          placeholder="/var/log/app.log"
          isCode
          isRequired
        />
        <Button type="submit" isDisabled={isAsking}>
          Explain
        </Button>
      </form>
      <div class="file-explanation" role="status">
        {answer !== undefined && <Explanation {...answer} />}
      </div>
    </>
  );
}

function Explanation({ file, host, explanation, error }: Answer) {
  return (
    <>
      <h3>
        <LogText text={file} /> <span class="muted">on</span> <LogText text={host} />
      </h3>
      {error !== undefined && (
        <p class="field-error">
          <LogText text={error} />
        </p>
      )}
      {explanation !== undefined && (
        <DefinitionList
          rows={explanationRows(explanation).map(([name, value]) => [
            name,
            <LogText key={name} text={value} />,
          ])}
        />
      )}
    </>
  );
}
