import { LONGEST } from './header-field.ts';
import type { StructuredData } from './syslog-message.ts';

/** Writes structured data: `[id@32473 name="value"][...]`, or `-` if there is none. */
export function writeStructuredData(data: StructuredData): string {
  let text = '';
  for (const [id, parameters] of data) {
    text += `[${sdName(id)}`;
    for (const [name, values] of parameters) {
      for (const value of values) text += ` ${sdName(name)}="${escapeValue(value)}"`;
    }
    text += ']';
  }
  return text === '' ? '-' : text;
}

/** Printable ASCII without the four delimiters of structured data. */
function sdName(name: string): string {
  const clean = name.slice(0, LONGEST.sdName).replace(/[^\x21-\x7e]|[\]="]/g, '_');
  return clean === '' ? '_' : clean;
}

/** RFC 5424 escapes exactly these three characters; any other backslash sequence is not an escape. */
function escapeValue(value: string): string {
  return value.replace(/["\\\]]/g, '\\$&');
}
