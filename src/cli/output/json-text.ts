import { escapeUnseen } from '../../runtime/logging/escape-controls.ts';

/**
 * JSON, the same to its reader, that is safe on a terminal too: `JSON.stringify` does not escape C1 controls, line
 * separators and marks of direction. Without a final newline.
 */
export function jsonText(value: unknown, indent?: number): string {
  return escapeUnseen(JSON.stringify(value, undefined, indent));
}
