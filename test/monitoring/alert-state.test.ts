import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMPARISONS } from '../../src/monitoring/alert-definition.ts';
import {
  isConditionMet,
  isReportedChange,
  nextState,
  type SegmentState,
} from '../../src/monitoring/alert-state.ts';

const SECOND = 1_000_000;
const RULE = { comparison: '>', level: 10, forSeconds: 0, noData: 'no-data' } as const;

/** The states after observations a second apart. */
function run(rule: Parameters<typeof nextState>[0], observations: readonly (number | null)[]) {
  let state: SegmentState | undefined;
  return observations.map((observed, index) => {
    const before = state;
    state = nextState(rule, before, { segment: null, observed }, index * SECOND);
    return `${isReportedChange(before, state) ? '!' : ''}${state.state}${state.pendingSinceUnixMicro === null ? '' : '?'}`;
  });
}

describe('isConditionMet', () => {
  it.each([
    ['>', [false, false, true]],
    ['>=', [false, true, true]],
    ['<', [true, false, false]],
    ['<=', [true, true, false]],
    ['==', [false, true, false]],
    ['!=', [true, false, true]],
  ] as const)('9, 10, 11 %s 10', (comparison, expected) => {
    expect([9, 10, 11].map((observed) => isConditionMet(observed, comparison, 10))).toEqual(expected);
  });
});

describe('nextState', () => {
  it('fires, keeps firing, recovers, and fires again', () => {
    expect(run(RULE, [1, 11, 12, 10, 9, 11])).toEqual(['ok', '!firing', 'firing', '!ok', 'ok', '!firing']);
  });

  it('fires at the first check if the condition is true', () => {
    expect(run(RULE, [11])).toEqual(['!firing']);
  });

  it('waits for forSeconds before it fires', () => {
    const rule = { ...RULE, forSeconds: 2 };
    expect(run(rule, [11, 11, 11, 1])).toEqual(['ok?', 'ok?', '!firing', '!ok']);
    expect(run(rule, [11, 11, 1, 11, 11, 11])).toEqual(['ok?', 'ok?', 'ok', 'ok?', 'ok?', '!firing']);
  });

  it.each([
    ['no-data', ['!firing', '!no-data', '!ok']],
    ['ok', ['!firing', '!ok', 'ok']],
    ['firing', ['!firing', 'firing', '!ok']],
    ['keep', ['!firing', 'firing', '!ok']],
  ] as const)('without data becomes what the policy says: %s', (noData, expected) => {
    expect(run({ ...RULE, noData }, [11, null, 1])).toEqual(expected);
  });

  it('also waits without data and with the policy firing', () => {
    expect(run({ ...RULE, noData: 'firing', forSeconds: 2 }, [1, null, null, null])).toEqual([
      'ok',
      'ok?',
      'ok?',
      '!firing',
    ]);
  });

  it('is no-data at a first check without data', () => {
    expect(run({ ...RULE, noData: 'keep' }, [null, null, 1])).toEqual(['no-data', 'no-data', '!ok']);
    expect(run(RULE, [null, 1])).toEqual(['no-data', '!ok']);
  });

  it('does not wait longer after a clock was set back', () => {
    const rule = { ...RULE, forSeconds: 5 };
    const ahead = nextState(rule, undefined, { segment: null, observed: 11 }, 1000 * SECOND);
    const back = nextState(rule, ahead, { segment: null, observed: 11 }, 10 * SECOND);
    expect(back.pendingSinceUnixMicro).toBe(10 * SECOND);
    expect(nextState(rule, back, { segment: null, observed: 11 }, 15 * SECOND).state).toBe('firing');
  });

  it('each change begins with the state of the one before', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.integer({ min: 8, max: 12 }))),
        fc.record({
          comparison: fc.constantFrom(...COMPARISONS),
          level: fc.constant(10),
          forSeconds: fc.nat(3),
          noData: fc.constantFrom('no-data', 'ok', 'firing', 'keep'),
        }),
        (observations, rule) => {
          let state: SegmentState | undefined;
          let last = 'ok';
          observations.forEach((observed, index) => {
            const before = state;
            state = nextState(rule, before, { segment: null, observed }, index * SECOND);
            if (before === undefined && !isReportedChange(before, state)) last = state.state;
            if (isReportedChange(before, state)) {
              expect(before?.state ?? 'ok').toBe(last);
              last = state.state;
            }
            expect(last).toBe(state.state);
            if (state.pendingSinceUnixMicro !== null) expect(state.state).not.toBe('firing');
            expect(state.sinceUnixMicro).toBeLessThanOrEqual(index * SECOND);
          });
        },
      ),
    );
  });
});
