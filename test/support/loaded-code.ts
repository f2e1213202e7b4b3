import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The code that a process loads. */
export interface LoadedCode {
  /** Bytes of the files in `dist/`. */
  readonly bytes: number;
  /** Names of packages: those with an own file, and those in the files of the bundle. */
  readonly packages: ReadonlySet<string>;
}

/** The environment of a process that appends the files that it loads to `log`. */
export function recordingLoads(log: string): Record<string, string> {
  return { LOADED_CODE: log, NODE_OPTIONS: `--import=${dataUrl(preload(dataUrl(HOOK)))}` };
}

/** Reads such a log. The process must have ended. */
export function readLoadedCode(log: string): LoadedCode {
  const files = new Set(readFileSync(log, 'utf8').split('\n').filter(Boolean).map(pathOf));
  const inDist = [...files].filter((path) => path.includes('/dist/') && !path.includes('node_modules'));
  const sources = [...files, ...inDist.flatMap(sourcesOf)];
  return {
    bytes: inDist.reduce((sum, path) => sum + statSync(path).size, 0),
    packages: new Set(sources.flatMap(packagesIn)),
  };
}

/** Modules are reported when they are loaded, files of `require` when the process ends. */
const HOOK = `
  import { appendFileSync } from 'node:fs';
  export function load(url, context, next) {
    if (url.startsWith('file:')) appendFileSync(process.env.LOADED_CODE, url + '\\n');
    return next(url, context);
  }`;

function preload(hook: string): string {
  return `
    import { appendFileSync } from 'node:fs';
    import { createRequire, register } from 'node:module';
    register(${JSON.stringify(hook)});
    const { cache } = createRequire(process.argv[1] ?? '/');
    process.once('exit', () => {
      for (const path of Object.keys(cache)) appendFileSync(process.env.LOADED_CODE, path + '\\n');
    });`;
}

function dataUrl(script: string): string {
  return `data:text/javascript,${encodeURIComponent(script).replaceAll("'", '%27')}`;
}

function pathOf(line: string): string {
  return line.startsWith('file:') ? fileURLToPath(line) : line;
}

/** The source files of a file of the bundle. */
function sourcesOf(path: string): readonly string[] {
  if (!existsSync(`${path}.map`)) return [];
  const { sources } = JSON.parse(readFileSync(`${path}.map`, 'utf8')) as { sources: readonly string[] };
  return sources;
}

function packagesIn(path: string): readonly string[] {
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
  return name === undefined ? [] : [name];
}
