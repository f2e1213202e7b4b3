import { useState } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { LogText } from '../components/texts.tsx';
import { byteSize } from '../text/numbers.ts';
import { StyledLogText } from './styled-log-text.tsx';

const MAX_CHARACTERS = 4096;

interface CutTextProps {
  readonly text: string;
  /** Escapes of colours become colours. */
  readonly isStyled?: boolean;
}

/** A text of any length: a long one is cut until all of it is requested. */
export function CutText({ text, isStyled = false }: CutTextProps) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? text : text.slice(0, MAX_CHARACTERS);
  return (
    <>
      {isStyled ? <StyledLogText text={shown} keep={'\n\t'} /> : <LogText text={shown} keep={'\n\t'} />}
      {text.length > MAX_CHARACTERS && !isWhole && (
        <span class="cut">
          ... <Button onClick={() => setWhole(true)}>Show all ({byteSize(new Blob([text]).size)})</Button>
        </span>
      )}
    </>
  );
}
