import type { SourceText } from './source-text.ts';

const LOG_CALL = /\b(?:logger|log)\.(?:trace|debug|info|warn|error|fatal)\(/;
const MESSAGE = /'([A-Z][^']{8,})'\s*[,)]/g;

/** The messages of log calls, as far as they are literal text. */
export function logMessages({ lines }: SourceText): string[] {
  return lines.flatMap((line, index) => {
    if (!LOG_CALL.test(line)) return [];
    const call = lines.slice(index, index + 4).join(' ');
    return [...call.matchAll(MESSAGE)].slice(0, 1).map(([, message = '']) => message);
  });
}
