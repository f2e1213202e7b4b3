import { readFileSync } from 'node:fs';

/** The role that docs/store.md creates. */
export const STORE_ROLE = 'collector';

/** Tests and measurements run in the root of the checkout, compiled or not. */
const PAGE = 'docs/store.md';
const BLOCK = /```sql\n(create role collector[\s\S]*?)```/;

/** The statements of docs/store.md that set up its database `logs`, for a database of another name. */
export function documentedDatabase(
  name: string,
  { withRole }: { readonly withRole: boolean },
): readonly string[] {
  const block = BLOCK.exec(readFileSync(PAGE, 'utf8'))?.[1];
  if (block === undefined) throw new Error('docs/store.md has no block of SQL that creates the role');
  return block
    .split(';\n')
    .map((statement) => `${statement.replaceAll(/^--.*\n/gm, '').trim()};`)
    .filter((statement) => statement !== ';' && (withRole || !statement.startsWith('create role')))
    .map((statement) => statement.replaceAll(/\blogs\b/g, name));
}
