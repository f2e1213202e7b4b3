import { request } from '../api/client.ts';
import type { DeadLetter, DeadLetterContent } from '../api/status.ts';
import { useResource } from '../api/use-resource.ts';
import { Dialog } from '../components/dialog.tsx';
import { ErrorState, LoadingState } from '../components/states.tsx';
import { LogText } from '../components/texts.tsx';
import { DefinitionList } from '../forms/definition-list.tsx';

const MAX_CHARACTERS = 100_000;

export function DeadLetterDialog({
  letter,
  onClose,
}: {
  readonly letter: DeadLetter;
  readonly onClose: () => void;
}) {
  const { data, problem } = useResource(
    (signal) => request<DeadLetterContent>(`dead-letters/${encodeURIComponent(letter.id)}`, { signal }),
    [letter.id],
  );
  return (
    <Dialog title={`Rejected by ${letter.emitter}`} isWide onClose={onClose}>
      <p>
        <LogText text={letter.reason} />
      </p>
      {data === undefined && (problem === undefined ? <LoadingState /> : <ErrorState problem={problem} />)}
      {data !== undefined && (
        <>
          <DefinitionList
            rows={[
              ['Format', data.format],
              ...Object.entries(data.resource).map(([name, value]) => [name, value] as const),
            ]}
          />
          <pre class="letter-text">
            <LogText text={textOf(data.data)} keep={'\n'} />
          </pre>
        </>
      )}
    </Dialog>
  );
}

function textOf(base64: string): string {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const text = new TextDecoder().decode(bytes);
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}\n...` : text;
}
