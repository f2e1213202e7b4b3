import { LogText } from '../components/texts.tsx';
import { styledText } from './ansi-text.ts';

/** Text of a log with the colours of a terminal; other control characters are shown as escapes. */
export function StyledLogText({ text, keep = '' }: { readonly text: string; readonly keep?: string }) {
  return (
    <>
      {styledText(text).map((part, at) =>
        part.classes === '' ? (
          <LogText key={at} text={part.text} keep={keep} />
        ) : (
          <span key={at} class={part.classes}>
            <LogText text={part.text} keep={keep} />
          </span>
        ),
      )}
    </>
  );
}
