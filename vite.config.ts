import { defineConfig } from 'vite';

// Tests and shells may set another environment, which would include the checks for developers of Preact.
process.env.NODE_ENV = 'production';

/** Another directory is for tests. */
const DIST = process.env.DIST ?? 'dist';

/**
 * Builds the page of the aggregator into dist/page. Addresses are relative, so that a proxy may serve the page under a
 * path. Nothing is inlined: the content security policy of the page permits no inline script and no data: script.
 */
export default defineConfig({
  root: 'src/page',
  base: './',
  publicDir: false,
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: `../../${DIST}/page`,
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    // One file compresses better than one for each page; only the charts are loaded later.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'page', test: /^(?!.*uplot)/i }] } } },
    reportCompressedSize: false,
    sourcemap: false,
    target: 'es2022',
  },
});
