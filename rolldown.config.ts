import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';

/** Another directory is for tests. */
const DIST = process.env.DIST ?? 'dist';

/** Chunks of an earlier build would be in the package. */
const removeOldChunks: Plugin = {
  name: 'remove-old-chunks',
  renderStart: () => rmSync(join(DIST, 'chunks'), { recursive: true, force: true }),
};

/** Packages with a native library, packages that find files of their own, and packages that are required when needed. */
const EXTERNAL = [
  '@duckdb/node-api',
  '@duckdb/node-bindings',
  'bowser',
  'iconv-lite',
  'lmdb',
  'lz4-napi',
  'node-unix-socket',
  're2js',
];

/**
 * Loads them with `require`: for an `import` of a CommonJS package, Node compiles a lexer in WebAssembly to find the
 * names of its exports, which takes 50 ms and 9 MB.
 */
const requireExternal: Plugin = {
  name: 'require-external',
  resolveId: (id, importer) =>
    EXTERNAL.includes(id) && importer !== REQUIRED + id ? REQUIRED + id : undefined,
  load: (id) =>
    id.startsWith(REQUIRED)
      ? { code: `module.exports = require('${id.slice(REQUIRED.length)}');`, moduleType: 'js' }
      : undefined,
};
const REQUIRED = '\0required:';

/** Required at run time already. */
const UNBUNDLED = ['pg-native', 'pino-pretty'];

/**
 * Bundles the entries of the package over the compiled ones in dist/: finding, reading and linking hundreds of single
 * modules was most of the time of a start. Modules that a command loads later are in chunks of their own. The text stays
 * readable, so that a stack trace names its functions.
 */
export default defineConfig({
  input: {
    'bin/mega-collector': 'src/bin/mega-collector.ts',
    'collector/sources/syslog/udp-thread': 'src/collector/sources/syslog/udp-thread.ts',
    'emitters/worker/emitter-thread': 'src/emitters/worker/emitter-thread.ts',
    gelf: 'src/gelf.ts',
  },
  platform: 'node',
  external: (id, importer) => importer?.startsWith(REQUIRED) === true || UNBUNDLED.includes(id),
  plugins: [removeOldChunks, requireExternal],
  output: {
    dir: DIST,
    format: 'esm',
    sourcemap: true,
    chunkFileNames: 'chunks/[name]-[hash].js',
    // Licences stay.
    comments: { legal: true, annotation: true, jsdoc: false },
  },
});
