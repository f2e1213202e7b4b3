import { useState } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { LogText } from '../components/texts.tsx';
import { byteSize } from '../text/numbers.ts';
import { bytesOfBase64, hexDump } from './raw-bytes.ts';

const MAX_BYTES = 2048;

interface RawViewProps {
  readonly raw: string | null;
  readonly note: string;
}

/** The bytes of the record as they were received, as text or as hexadecimal digits. */
export function RawView({ raw, note }: RawViewProps) {
  const [isHex, setHex] = useState(false);
  const [isWhole, setWhole] = useState(false);
  if (raw === null) return <p class="muted">{note}</p>;
  const bytes = bytesOfBase64(raw);
  const shown = isWhole ? bytes : bytes.subarray(0, MAX_BYTES);
  return (
    <>
      <div class="raw-tools">
        <span class="muted">{byteSize(bytes.length)}</span>
        <Button isPressed={!isHex} onClick={() => setHex(false)}>
          Text
        </Button>
        <Button isPressed={isHex} onClick={() => setHex(true)}>
          Hex
        </Button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <pre class={isHex ? 'raw hex' : 'raw'} tabIndex={0}>
        {isHex ? hexDump(shown) : <LogText text={new TextDecoder().decode(shown)} />}
      </pre>
      {shown.length < bytes.length && <Button onClick={() => setWhole(true)}>Show all</Button>}
      {note !== '' && <p class="muted">{note}</p>}
    </>
  );
}
