import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Which rooms a room may import, besides itself: the data's way, drawn once and held here. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  records: [],
  formats: ['records', 'protocols'],
  protocols: ['records'],
  runtime: ['records'],
  patterns: ['runtime'],
  expressions: ['records', 'formats', 'runtime', 'patterns'],
  filters: ['records', 'protocols', 'formats', 'runtime', 'patterns', 'expressions'],
  'filter-files': ['runtime', 'patterns', 'filters'],
  transport: ['records', 'protocols', 'runtime'],
  storage: ['records', 'runtime'],
  logstore: ['records', 'formats', 'runtime', 'patterns', 'expressions'],
  monitoring: ['records', 'formats', 'runtime', 'patterns', 'expressions', 'logstore'],
  tap: ['records', 'formats', 'runtime', 'expressions'],
  collector: [
    'records',
    'tap',
    'formats',
    'protocols',
    'runtime',
    'patterns',
    'expressions',
    'transport',
    'storage',
  ],
  emitters: [
    'records',
    'formats',
    'protocols',
    'runtime',
    'patterns',
    'expressions',
    'filters',
    'filter-files',
    'transport',
    'storage',
    'logstore',
    'monitoring',
  ],
  aggregator: [
    'records',
    'tap',
    'formats',
    'protocols',
    'runtime',
    'patterns',
    'expressions',
    'filters',
    'filter-files',
    'transport',
    'storage',
    'logstore',
    'monitoring',
    'emitters',
  ],
  cli: [
    'records',
    'tap',
    'formats',
    'protocols',
    'runtime',
    'patterns',
    'expressions',
    'filters',
    'filter-files',
    'transport',
    'storage',
    'logstore',
    'monitoring',
    'collector',
    'emitters',
    'aggregator',
  ],
  bin: ['cli'],
  // Browser code: it knows the aggregator only by its HTTP API.
  page: [],
};
/** Files directly in src/ are entries of the package; each stands on these rooms. */
const ENTRIES: Record<string, readonly string[]> = { 'gelf.ts': ['protocols', 'transport'] };
/** Only the outermost rooms may use these. */
const ONLY_IN_CLI = [/\bprocess\.env\b/, /\bprocess\.exit\b/, /\bprocess\.on\(/];
const PURE = ['records', 'formats', 'protocols', 'patterns', 'expressions', 'filters', 'page'];
const NOT_PURE = /from 'node:(?:fs|fs\/promises|net|dgram|tls|http|http2|child_process|worker_threads)'/;
const SHAPELESS = /(?:^|\/)(?:utils?|helpers?|common|misc|managers?)(?:\/|\.tsx?$)/;

const SRC = join(import.meta.dirname, '../src');

interface SourceFile {
  readonly path: string;
  readonly room: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function sourceFiles(): readonly SourceFile[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => {
      const text = readFileSync(join(SRC, path), 'utf8');
      const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(
        (match) => match[1] ?? '',
      );
      return {
        path,
        room: path.includes('/') ? (path.split('/')[0] ?? '') : '',
        text,
        imports: specifiers.map((specifier) => relative(SRC, join(SRC, dirname(path), specifier))),
      };
    });
}

const files = sourceFiles();
const handWritten = files.filter(({ path }) => !path.startsWith('records/gen/'));

describe('the architecture', () => {
  it('has no rooms but these', () => {
    const rooms = new Set(files.filter(({ room }) => room !== '').map(({ room }) => room));
    expect([...rooms].filter((room) => MAY_IMPORT[room] === undefined)).toEqual([]);
    const entries = files.filter(({ room }) => room === '').map(({ path }) => path);
    expect(entries.filter((path) => ENTRIES[path] === undefined)).toEqual([]);
  });

  it('imports one way', () => {
    const wrong = files.flatMap(({ path, room, imports }) => {
      const allowed = room === '' ? (ENTRIES[path] ?? []) : [room, ...(MAY_IMPORT[room] ?? [])];
      return imports
        .filter((target) => !allowed.includes(target.split('/')[0] ?? ''))
        .map((target) => `${path} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('never lets one emitter know another', () => {
    const shared = (target: string) =>
      target.split('/').length === 2 || target.startsWith('emitters/worker/');
    // These folders are parts of every emitter: they may know each other, but no emitter.
    const isPart = (path: string) => ['decorators', 'filtering', 'worker'].includes(path.split('/')[1] ?? '');
    const wrong = files
      .filter(({ path, room }) => room === 'emitters' && path.split('/').length > 2)
      .flatMap(({ path, imports }) =>
        imports
          .filter((target) => target.startsWith('emitters/') && !shared(target))
          .filter((target) => target.split('/')[1] !== path.split('/')[1])
          .filter((target) => !(isPart(path) && isPart(target)))
          .map((target) => `${path} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  it('uses the process only in bin and cli', () => {
    const wrong = handWritten
      .filter(({ room }) => room !== 'bin' && room !== 'cli')
      .filter(({ text }) => ONLY_IN_CLI.some((pattern) => pattern.test(text)))
      .map(({ path }) => path);
    expect(wrong).toEqual([]);
  });

  it('keeps records, formats, protocols, patterns, expressions, filters and the page free of I/O of Node', () => {
    const wrong = handWritten
      .filter(({ room, text }) => PURE.includes(room) && NOT_PURE.test(text))
      .map(({ path }) => path);
    expect(wrong).toEqual([]);
  });

  it('has no folder or file without a meaning', () => {
    expect(handWritten.map(({ path }) => path).filter((path) => SHAPELESS.test(path))).toEqual([]);
  });

  it('has no cycle between files', () => {
    const importsOf = new Map(files.map(({ path, imports }) => [path, imports]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, above: readonly string[]) => {
      if (above.includes(path)) cycles.push([...above.slice(above.indexOf(path)), path].join(' -> '));
      if (done.has(path) || above.includes(path)) return;
      for (const target of importsOf.get(path) ?? []) visit(target, [...above, path]);
      done.add(path);
    };
    for (const path of importsOf.keys()) visit(path, []);
    expect(cycles).toEqual([]);
  });
});

/** Imports of other folders of the checkout, by the files of one: `bench/chaos/faults.ts imports test/a.ts`. */
function importsFrom(folder: string, into: string): readonly string[] {
  const root = join(import.meta.dirname, '..');
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .flatMap((name) => {
      const path = join(folder, name);
      const text = readFileSync(join(root, path), 'utf8');
      return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)]
        .map((match) => join(dirname(path), match[1] ?? ''))
        .filter((target) => target.startsWith(`${into}/`))
        .map((target) => `${path} imports ${target}`);
    });
}

describe('tests and measurements', () => {
  it('share only the folder testkit', () => {
    expect([...importsFrom('bench', 'test'), ...importsFrom('testkit', 'test')]).toEqual([]);
    expect(importsFrom('testkit', 'bench')).toEqual([]);
  });

  it('are not connected, except that tests run the chaos and test its parts and those of the measurements', () => {
    const others = importsFrom('test', 'bench').filter(
      (each) => !each.startsWith('test/bench/') && !each.includes(' imports bench/chaos/'),
    );
    expect(others).toEqual([]);
  });
});
