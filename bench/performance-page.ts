import { readFile, writeFile } from 'node:fs/promises';

const BEGIN = '<!-- bench:begin (written by `make bench WRITE=1`) -->';
const END = '<!-- bench:end -->';

/** Writes the report between the markers of the page; the other text is unchanged. */
export async function writePerformancePage(path: string, report: string): Promise<void> {
  const page = await readFile(path, 'utf8');
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error(`${path} has no "${BEGIN}" ... "${END}"`);
  await writeFile(path, `${page.slice(0, from)}${BEGIN}\n${report}\n${page.slice(to)}`);
}
