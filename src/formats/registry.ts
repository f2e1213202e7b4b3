import { combined } from './combined.ts';
import type { Format } from './format.ts';
import { json } from './json.ts';
import { plain } from './plain.ts';

/** Every format there is. */
export const formats: readonly Format[] = [plain, combined, json];

const byName: ReadonlyMap<string, Format> = new Map(formats.map((format) => [format.name, format]));

/** The format of this name; `plain` for names unknown here, which a newer collector may well use. */
export function formatNamed(name: string): Format {
  return byName.get(name) ?? plain;
}
