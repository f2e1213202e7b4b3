import { expect, test } from 'vitest';
import type { Component } from '../../src/runtime/component.ts';
import { Lifecycle } from '../../src/runtime/lifecycle.ts';

function component(name: string, calls: string[], failing?: 'start' | 'stop'): Component {
  const part = (what: 'start' | 'stop') => async () => {
    calls.push(`${what} ${name}`);
    if (what === failing) throw new Error(`${name} cannot ${what}`);
  };
  return { start: part('start'), stop: part('stop') };
}

test('starts downstream first and stops upstream first', async () => {
  const calls: string[] = [];
  const lifecycle = new Lifecycle([component('queue', calls), component('intake', calls)]);
  await lifecycle.start();
  await lifecycle.stop(AbortSignal.timeout(1000));
  await lifecycle.stop(AbortSignal.timeout(1000));
  expect(calls).toEqual(['start queue', 'start intake', 'stop intake', 'stop queue']);
});

test('a failed start stops what had been started', async () => {
  const calls: string[] = [];
  const lifecycle = new Lifecycle([
    component('queue', calls),
    component('intake', calls, 'start'),
    component('http', calls),
  ]);
  await expect(lifecycle.start()).rejects.toThrow('intake cannot start');
  expect(calls).toEqual(['start queue', 'start intake', 'stop intake', 'stop queue']);
});

test('a failed stop does not keep the others from stopping', async () => {
  const calls: string[] = [];
  const lifecycle = new Lifecycle([component('queue', calls), component('intake', calls, 'stop')]);
  await lifecycle.start();
  await expect(lifecycle.stop(AbortSignal.timeout(1000))).rejects.toThrow('intake cannot stop');
  expect(calls.at(-1)).toBe('stop queue');
});

test('stop without a start does nothing', async () => {
  const calls: string[] = [];
  await new Lifecycle([component('queue', calls)]).stop(AbortSignal.abort());
  expect(calls).toEqual([]);
});
