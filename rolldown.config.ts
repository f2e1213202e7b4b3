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

/**
 * Bundles the entries of the package over the compiled ones in dist/: finding, reading and linking hundreds of single
 * modules was most of the time of a start. Modules that a command loads later are in chunks of their own. The text stays
 * readable, so that a stack trace names its functions.
 */
export default defineConfig({
  input: {
    'bin/mega-collector': 'src/bin/mega-collector.ts',
    'emitters/worker/emitter-thread': 'src/emitters/worker/emitter-thread.ts',
    gelf: 'src/gelf.ts',
  },
  platform: 'node',
  // Packages with a native library, and packages that find files of their own.
  external: [
    /^@duckdb\//,
    'lmdb',
    'lz4-napi',
    'node-unix-socket',
    'pg-native',
    'pino-pretty',
    'grpc-health-check',
    /^@grpc\/(?:proto-loader|reflection)$/,
  ],
  plugins: [removeOldChunks],
  output: {
    dir: DIST,
    format: 'esm',
    sourcemap: true,
    chunkFileNames: 'chunks/[name]-[hash].js',
    // Licences stay.
    comments: { legal: true, annotation: true, jsdoc: false },
  },
});
