/**
 * Node arguments for a worker thread that loads TypeScript sources. Vitest compiles the imports of a test, but
 * not those of its threads, and Node 20 cannot strip types itself.
 */
export const THREAD_ARGUMENTS: readonly string[] = [
  '--import',
  new URL('./typescript-loader.mjs', import.meta.url).href,
];
