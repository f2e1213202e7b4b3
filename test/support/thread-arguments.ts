/**
 * Node's arguments for a worker thread that loads our TypeScript sources. Vitest compiles what a test imports, but not
 * what a thread of it does, and Node 20 cannot strip types itself.
 */
export const THREAD_ARGUMENTS: readonly string[] = [
  '--import',
  new URL('./typescript-loader.mjs', import.meta.url).href,
];
