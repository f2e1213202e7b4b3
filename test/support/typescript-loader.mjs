import { register } from 'node:module';

/** Lets a worker thread load our sources as they are. See `thread-arguments.ts`. */
register('./typescript-hooks.mjs', import.meta.url);
