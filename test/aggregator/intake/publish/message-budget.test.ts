import { describe, expect, it } from 'vitest';
import {
  MessageBudget,
  type MessageRequest,
} from '../../../../src/aggregator/intake/publish/message-budget.ts';
import { MessageMemory } from '../../../../src/aggregator/intake/publish/message-memory.ts';

function requestsOf(granted: string[]) {
  return (name: string, bytes: number, host = name): MessageRequest => ({
    bytes,
    host,
    state: 'new',
    granted: () => void granted.push(name),
  });
}

describe('the memory for messages', () => {
  it('is granted up to its limit, and then in the order of the requests', () => {
    const granted: string[] = [];
    const request = requestsOf(granted);
    const budget = new MessageBudget(100);
    const [a, b, c, d] = [request('a', 50), request('b', 40), request('c', 30), request('d', 10)];
    expect([a, b, c, d].map((each) => budget.take(each))).toEqual([true, true, false, false]);
    budget.end(b);
    expect(granted).toEqual(['c', 'd']);
    expect(budget.bytes).toBe(90);
  });

  it('does not pass a large request by for smaller ones', () => {
    const granted: string[] = [];
    const request = requestsOf(granted);
    const budget = new MessageBudget(100);
    const [a, b] = [request('a', 50), request('b', 50)];
    const large = request('large', 50);
    for (const each of [a, b, large]) budget.take(each);
    expect(budget.take(request('small', 1))).toBe(false);
    budget.end(a);
    expect(granted).toEqual(['large']);
  });

  it('is half for one host, and another host does not wait for it', () => {
    const granted: string[] = [];
    const request = requestsOf(granted);
    const budget = new MessageBudget(100);
    const hostile = Array.from({ length: 10 }, (_, i) => request(`hostile ${i}`, 10, 'hostile'));
    expect(hostile.filter((each) => budget.take(each))).toHaveLength(5);
    expect(budget.take(request('honest', 50))).toBe(true);
    for (const each of hostile.slice(0, 5)) budget.end(each);
    expect(granted).toEqual(hostile.slice(5).map((_, i) => `hostile ${i + 5}`));
  });

  it('does not pass a large request by for smaller ones of the same host', () => {
    const granted: string[] = [];
    const request = requestsOf(granted);
    const budget = new MessageBudget(100);
    const small = Array.from({ length: 20 }, (_, i) => request(`small ${i}`, 10, 'host'));
    for (const each of small.slice(0, 5)) budget.take(each);
    budget.take(request('large', 50, 'host'));
    const isTaken = small.slice(5).map((each, i) => {
      const earlier = small[i];
      if (earlier !== undefined) budget.end(earlier);
      return budget.take(each);
    });
    expect(granted[0]).toBe('large');
    expect(isTaken).not.toContain(true);
  });

  it('is not searched for among all that wait when one more request of their host begins', () => {
    let comparisons = 0;
    const budget = new MessageBudget(100);
    const waiting = Array.from({ length: 500 }, (_, i): MessageRequest => {
      const request = requestsOf([])(String(i), 50, 'host');
      return {
        ...request,
        get host() {
          comparisons++;
          return 'host';
        },
      };
    });
    for (const each of waiting) budget.take(each);
    expect(comparisons).toBeLessThan(waiting.length * 10);
  });

  it('is granted alone to a message that is larger', () => {
    const granted: string[] = [];
    const request = requestsOf(granted);
    const budget = new MessageBudget(100);
    const [small, large] = [request('small', 1), request('large', 500)];
    expect([small, large].map((each) => budget.take(each))).toEqual([true, false]);
    budget.end(small);
    expect(granted).toEqual(['large']);
    expect(budget.take(small)).toBe(false);
    budget.end(large);
    expect(granted).toEqual(['large', 'small']);
  });

  it('is free again after a request that ends while it waits', () => {
    const granted: string[] = [];
    const request = requestsOf(granted);
    const budget = new MessageBudget(100);
    const [a, b, c] = [request('a', 50), request('b', 90), request('c', 50)];
    for (const each of [a, b, c]) budget.take(each);
    budget.end(b);
    budget.end(a);
    budget.end(c);
    expect(granted).toEqual(['c']);
    expect(budget.bytes).toBe(0);
  });

  it('is granted to the next request when a larger one before it leaves', () => {
    const granted: string[] = [];
    const request = requestsOf(granted);
    const budget = new MessageBudget(100);
    const [a, large, small] = [request('a', 60), request('large', 50), request('small', 40)];
    for (const each of [a, large, small]) budget.take(each);
    budget.end(large);
    expect(granted).toEqual(['small']);
    expect(budget.bytes).toBe(100);
  });

  it('is granted to hosts one after another', () => {
    const granted: string[] = [];
    const request = requestsOf(granted);
    const budget = new MessageBudget(100);
    const first = request('first', 100);
    budget.take(first);
    for (const name of ['a 1', 'a 2', 'a 3', 'b 1']) budget.take(request(name, 30, name.slice(0, 1)));
    budget.end(first);
    expect(granted).toEqual(['a 1', 'b 1']);
  });

  it('passes through any number of requests that end at once', () => {
    const budget = new MessageBudget(10);
    let ended = 0;
    const first: MessageRequest = { bytes: 10, host: 'first', state: 'new', granted: () => {} };
    budget.take(first);
    for (let i = 0; i < 50_000; i++) {
      const request: MessageRequest = {
        ...{ bytes: 10, host: String(i), state: 'new' },
        granted: () => {
          ended++;
          budget.end(request);
        },
      };
      budget.take(request);
    }
    budget.end(first);
    expect(ended).toBe(50_000);
    expect(budget.bytes).toBe(0);
  });

  it('has a part for small messages, which large ones leave free', () => {
    const memory = new MessageMemory(64 * 1024);
    const large = Array.from({ length: 10 }, (_, i) => memory.request(16 * 1024, `host ${i}`, () => {}));
    expect(large.filter((each) => memory.take(each))).toHaveLength(3);
    expect(memory.take(memory.request(1_000, 'host 0', () => {}))).toBe(true);
    expect(memory.bytes).toBe(3 * 16 * 1024 + 1_000);
  });
});
