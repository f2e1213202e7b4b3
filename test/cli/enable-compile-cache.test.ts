import module from 'node:module';
import { afterEach, expect, test, vi } from 'vitest';
import { enableCompileCache } from '../../src/cli/enable-compile-cache.ts';

const node = module as { enableCompileCache?: unknown };
const original = node.enableCompileCache;

afterEach(() => {
  node.enableCompileCache = original;
});

test.each([
  [{ HOME: '/home/me' }, '/home/me/.cache/mega-collector/compiled'],
  [{ HOME: '/home/me', XDG_CACHE_HOME: '/cache' }, '/cache/mega-collector/compiled'],
  [{ HOME: '/', CACHE_DIRECTORY: '/var/cache/a:/var/cache/b' }, '/var/cache/a/compiled'],
])('%j: the compiled code is in %s', (environment, directory) => {
  const enable = vi.fn();
  node.enableCompileCache = enable;
  enableCompileCache(environment);
  expect(enable.mock.calls).toEqual([[directory]]);
});

test('without a directory of the user, nothing is cached', () => {
  const enable = vi.fn();
  node.enableCompileCache = enable;
  enableCompileCache({ HOME: '' });
  expect(enable).not.toHaveBeenCalled();
});

test('an older Node starts without a cache', () => {
  node.enableCompileCache = undefined;
  expect(() => enableCompileCache({ HOME: '/home/me' })).not.toThrow();
});
