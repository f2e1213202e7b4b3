import { createRequire } from 'node:module';

type Iconv = typeof import('iconv-lite');

/** The library is loaded for the first encoding: it takes longer to load than all formats, and few need it. */
export function iconv(): Iconv {
  loaded ??= createRequire(import.meta.url)('iconv-lite') as Iconv;
  return loaded;
}

let loaded: Iconv | undefined;
