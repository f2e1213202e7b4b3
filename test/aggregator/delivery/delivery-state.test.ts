import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Activity,
  type Commits,
  type DeliveryState,
  type Grouping,
  INITIAL_STATE,
  isIsolated,
  type StateEvent,
  streakOf,
  transition,
} from '../../../src/aggregator/delivery/delivery-state.ts';
import { statusOf } from '../../../src/aggregator/delivery/emitter-status.ts';
import { extendStreak, type FailureStreak } from '../../../src/aggregator/delivery/failure-streak.ts';
import { isBefore } from '../../../src/storage/queue/cursor-order.ts';

const CONTEXT = { nowUnixNano: 5n, retryCount: 3 };
const retryingStreak = extendStreak(undefined, { reason: 'down' }, CONTEXT);
const holdingStreak = extendStreak(undefined, { reason: 'full', mustHold: true }, CONTEXT);
const delayedStreak = extendStreak(undefined, { reason: 'slow down', afterMs: 9000 }, CONTEXT);

const ACTIVITIES = {
  starting: { kind: 'starting' },
  delivering: { kind: 'delivering' },
  idle: { kind: 'idle' },
  retrying: { kind: 'retrying', streak: retryingStreak },
  holding: { kind: 'holding', streak: holdingStreak },
  stopping: { kind: 'stopping', streak: undefined },
  'stopping after a failure': { kind: 'stopping', streak: retryingStreak },
  'stopping after a requested delay': { kind: 'stopping', streak: delayedStreak },
  stopped: { kind: 'stopped', streak: undefined },
  'stopped after a failure': { kind: 'stopped', streak: retryingStreak },
  broken: { kind: 'broken', reason: 'bug', streak: undefined },
} as const satisfies Record<string, Activity>;
type ActivityName = keyof typeof ACTIVITIES;

const FAILED: StateEvent = { kind: 'failed', failure: { reason: 'again' }, context: CONTEXT };
const MUST_HOLD: StateEvent = {
  kind: 'failed',
  failure: { reason: 'again', mustHold: true },
  context: CONTEXT,
};

/** Kind after the event, for each activity that it changes. */
const ACTIVITY_TABLE: readonly [StateEvent, Partial<Record<ActivityName, Activity['kind']>>][] = [
  [{ kind: 'started' }, { starting: 'delivering' }],
  [{ kind: 'polled' }, { idle: 'delivering' }],
  [
    { kind: 'emptied' },
    {
      delivering: 'idle',
      stopping: 'stopped',
      'stopping after a failure': 'stopped',
      'stopping after a requested delay': 'stopped',
    },
  ],
  [
    FAILED,
    {
      delivering: 'retrying',
      idle: 'retrying',
      retrying: 'retrying',
      holding: 'retrying',
      stopping: 'stopping',
      'stopping after a failure': 'stopping',
      'stopping after a requested delay': 'stopping',
      stopped: 'stopped',
      'stopped after a failure': 'stopped',
    },
  ],
  [
    MUST_HOLD,
    {
      delivering: 'holding',
      idle: 'holding',
      retrying: 'holding',
      holding: 'holding',
      stopping: 'stopping',
      'stopping after a failure': 'stopping',
      'stopping after a requested delay': 'stopping',
      stopped: 'stopped',
      'stopped after a failure': 'stopped',
    },
  ],
  ...(['flushed', 'dropped'] as const).map(
    (kind) =>
      [
        { kind },
        {
          retrying: 'delivering',
          holding: 'delivering',
          'stopping after a failure': 'stopping',
          'stopping after a requested delay': 'stopping',
          'stopped after a failure': 'stopped',
        },
      ] as [StateEvent, Partial<Record<ActivityName, Activity['kind']>>],
  ),
  [
    { kind: 'delay-began' },
    {
      stopping: 'stopped',
      'stopping after a failure': 'stopped',
      'stopping after a requested delay': 'stopped',
    },
  ],
  [{ kind: 'delay-ended' }, { 'stopping after a requested delay': 'stopped' }],
  [
    { kind: 'finish' },
    {
      starting: 'stopped',
      delivering: 'stopping',
      idle: 'stopping',
      retrying: 'stopping',
      holding: 'stopping',
    },
  ],
  [
    { kind: 'stopped' },
    {
      starting: 'stopped',
      delivering: 'stopped',
      idle: 'stopped',
      retrying: 'stopped',
      holding: 'stopped',
      stopping: 'stopped',
      'stopping after a failure': 'stopped',
      'stopping after a requested delay': 'stopped',
    },
  ],
  [
    { kind: 'broken', reason: 'bug' },
    {
      starting: 'broken',
      delivering: 'broken',
      idle: 'broken',
      retrying: 'broken',
      holding: 'broken',
      stopping: 'broken',
      'stopping after a failure': 'broken',
      'stopping after a requested delay': 'broken',
      stopped: 'broken',
      'stopped after a failure': 'broken',
    },
  ],
];

describe('the activity of a delivery', () => {
  const cases = ACTIVITY_TABLE.flatMap(([event, changes]) =>
    (Object.keys(ACTIVITIES) as ActivityName[]).map((name) => {
      const what = event === MUST_HOLD ? 'failed (must hold)' : event.kind;
      return { what, name, event, expected: changes[name] };
    }),
  );

  it.each(cases)('$what changes $name to $expected', ({ name, event, expected }) => {
    const state: DeliveryState = { ...INITIAL_STATE, activity: ACTIVITIES[name] };
    const next = transition(state, event);
    if (expected === undefined) expect(next).toBe(state);
    else {
      expect(next).not.toBe(state);
      expect(next.activity.kind).toBe(expected);
    }
  });

  it('holds when the retries are used up, and counts all failures', () => {
    let state = transition(INITIAL_STATE, { kind: 'started' });
    for (const kind of ['retrying', 'retrying', 'holding'] as const) {
      state = transition(state, FAILED);
      expect(state.activity.kind).toBe(kind);
    }
    expect(streakOf(state.activity)).toMatchObject({ failures: 3, retries: 3, sinceUnixNano: 5n });
    expect(streakOf(transition(state, { kind: 'flushed' }).activity)).toBeUndefined();
  });
});

const COMMITS = {
  reported: { kind: 'reported' },
  running: { kind: 'running', isFlushed: true },
  'running without a flush': { kind: 'running', isFlushed: false },
  failing: { kind: 'failing', isFlushed: true, reason: 'disk full' },
  unreported: { kind: 'unreported' },
  abandoned: { kind: 'abandoned', reason: 'disk full' },
} as const satisfies Record<string, Commits>;
type CommitsName = keyof typeof COMMITS;

const COMMIT_TABLE: readonly [StateEvent, Partial<Record<CommitsName, Commits>>][] = [
  [
    { kind: 'commit-began', isFlushed: true },
    { reported: COMMITS.running, unreported: COMMITS.running },
  ],
  [
    { kind: 'commit-began', isFlushed: false },
    { reported: COMMITS['running without a flush'], unreported: COMMITS.running },
  ],
  [
    { kind: 'commit-failed', reason: 'disk full' },
    {
      running: COMMITS.failing,
      'running without a flush': { kind: 'failing', isFlushed: false, reason: 'disk full' },
      failing: COMMITS.failing,
    },
  ],
  [
    { kind: 'commit-ended' },
    {
      running: COMMITS.unreported,
      'running without a flush': COMMITS.reported,
      failing: COMMITS.unreported,
    },
  ],
  [{ kind: 'commit-reported' }, { unreported: COMMITS.reported }],
  [
    { kind: 'commit-abandoned' },
    {
      running: { kind: 'abandoned', reason: '' },
      'running without a flush': { kind: 'abandoned', reason: '' },
      failing: COMMITS.abandoned,
    },
  ],
];

describe('the commits of a delivery', () => {
  const cases = COMMIT_TABLE.flatMap(([event, changes]) =>
    (Object.keys(COMMITS) as CommitsName[]).map((name) => ({
      event,
      what: `${event.kind}${'isFlushed' in event && !event.isFlushed ? ' without a flush' : ''}`,
      name,
      expected: changes[name] ?? COMMITS[name],
    })),
  );

  it.each(cases)('$what changes $name to $expected.kind', ({ name, event, expected }) => {
    const state: DeliveryState = { ...INITIAL_STATE, commits: COMMITS[name] };
    expect(transition(state, event).commits).toEqual(expected);
  });
});

describe('the grouping of a delivery', () => {
  const at = (entry: number, record = 0) => ({ entry, record });
  const rewound = (entry: number, replays: boolean): StateEvent => ({
    kind: 'rewound',
    until: at(entry),
    replays,
  });

  it('isolates batches up to the failed position, and groups them after it', () => {
    let state = transition(INITIAL_STATE, rewound(7, false));
    expect([at(6), at(6, 9), at(7)].map((point) => isIsolated(state.grouping, point))).toEqual([
      true,
      true,
      false,
    ]);
    state = transition(state, { kind: 'group-began', at: at(6, 9) });
    expect(state.grouping.kind).toBe('isolating');
    state = transition(state, { kind: 'group-began', at: at(7) });
    expect(state.grouping.kind).toBe('grouped');
  });

  it('keeps the later one of two failed positions', () => {
    const state = transition(transition(INITIAL_STATE, rewound(7, false)), rewound(4, false));
    expect(state.grouping).toEqual({ kind: 'isolating', until: at(7), replays: false });
  });

  it('isolates everything while there are replays', () => {
    let state = transition(transition(INITIAL_STATE, rewound(7, true)), rewound(4, false));
    state = transition(state, { kind: 'group-began', at: at(9) });
    expect(isIsolated(state.grouping, at(9))).toBe(true);
    state = transition(state, { kind: 'replays-emptied' });
    expect(isIsolated(state.grouping, at(9))).toBe(false);
    state = transition(state, { kind: 'group-began', at: at(9) });
    expect(state.grouping.kind).toBe('grouped');
  });
});

const points = fc.record({ entry: fc.integer({ min: 1, max: 5 }), record: fc.integer({ min: 0, max: 3 }) });
const failures = fc.record({
  reason: fc.constantFrom('a', 'b'),
  afterMs: fc.constantFrom(undefined, 1000),
  mustHold: fc.boolean(),
});
const events: fc.Arbitrary<StateEvent> = fc.oneof(
  fc.constantFrom<StateEvent>(
    { kind: 'started' },
    { kind: 'polled' },
    { kind: 'emptied' },
    { kind: 'flushed' },
    { kind: 'dropped' },
    { kind: 'delay-began' },
    { kind: 'delay-ended' },
    { kind: 'finish' },
    { kind: 'commit-ended' },
    { kind: 'commit-reported' },
    { kind: 'commit-began', isFlushed: true },
    { kind: 'commit-began', isFlushed: false },
    { kind: 'replays-emptied' },
  ),
  fc.constantFrom<StateEvent>(
    { kind: 'stopped' },
    { kind: 'broken', reason: 'bug' },
    { kind: 'commit-abandoned' },
    { kind: 'commit-failed', reason: 'disk' },
  ),
  failures.map((failure): StateEvent => ({ kind: 'failed', failure, context: CONTEXT })),
  fc.record({ kind: fc.constant('rewound' as const), until: points, replays: fc.boolean() }),
  fc.record({ kind: fc.constant('group-began' as const), at: points }),
);

/** What must hold for two consecutive states. */
function expectInvariants(before: DeliveryState, event: StateEvent, after: DeliveryState): void {
  const [was, is] = [before.activity, after.activity];
  // A state without failures has no streak, and a streak decides between retrying and holding.
  if (is.kind === 'retrying' || is.kind === 'holding') {
    expect(is.streak.isHolding).toBe(is.kind === 'holding');
    expectStreak(is.streak);
  } else if (is.kind === 'starting' || is.kind === 'delivering' || is.kind === 'idle') {
    expect(streakOf(is)).toBeUndefined();
  }
  // Delivery never resumes after a shutdown began, and nothing follows an internal error.
  if (was.kind === 'stopping') expect(['stopping', 'stopped', 'broken']).toContain(is.kind);
  if (was.kind === 'stopped') expect(['stopped', 'broken']).toContain(is.kind);
  if (was.kind === 'broken') expect(is).toBe(was);
  // Only a success or a dropped batch ends a streak; its start and its count never go back.
  const [old, streak] = [streakOf(was), streakOf(is)];
  if (old !== undefined && streak === undefined) expect(['flushed', 'dropped']).toContain(event.kind);
  if (old !== undefined && streak !== undefined) {
    expect(streak.sinceUnixNano).toBe(old.sinceUnixNano);
    expect(streak.failures - old.failures).toBe(event.kind === 'failed' && was.kind !== 'broken' ? 1 : 0);
  }
  // An abandoned commit is final, so that no later one moves the cursor past it.
  if (before.commits.kind === 'abandoned') expect(after.commits).toBe(before.commits);
  // The emitter is notified of each flush that was committed.
  if (before.commits.kind === 'unreported')
    expect(after.commits).toMatchObject(
      event.kind === 'commit-reported'
        ? { kind: 'reported' }
        : event.kind === 'commit-began'
          ? { kind: 'running', isFlushed: true }
          : { kind: 'unreported' },
    );
  expectGrouping(before.grouping, event, after.grouping);
  expect(statusOf(after).failures).toBe(streak?.failures ?? 0);
}

function expectStreak({ failures: count, retries, isHolding }: FailureStreak): void {
  expect(count).toBeGreaterThan(0);
  expect(retries).toBeLessThanOrEqual(count);
  if (retries >= CONTEXT.retryCount) expect(isHolding).toBe(true);
}

/** Isolation ends only when the failed position is passed and no replay is left. */
function expectGrouping(before: Grouping, event: StateEvent, after: Grouping): void {
  if (before.kind !== 'isolating') return;
  if (after.kind === 'grouped') {
    expect(event.kind).toBe('group-began');
    expect(before.replays).toBe(false);
    if (event.kind === 'group-began') expect(isBefore(event.at, before.until)).toBe(false);
  } else {
    expect(isBefore(after.until, before.until)).toBe(false);
  }
}

describe('any sequence of events', () => {
  it('keeps the invariants of the states', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 40 }), (sequence) => {
        let state = INITIAL_STATE;
        for (const event of sequence) {
          const next = transition(state, event);
          expectInvariants(state, event, next);
          state = next;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('ends after finish: an empty queue or a failure stops a delivery that is stopping', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 20 }), (sequence) => {
        let state = sequence.reduce(transition, transition(INITIAL_STATE, { kind: 'started' }));
        state = transition(state, { kind: 'finish' });
        for (const kind of ['emptied', 'delay-began'] as const)
          expect(['stopped', 'broken']).toContain(transition(state, { kind }).activity.kind);
      }),
    );
  });
});

describe('the status that is shown', () => {
  const status = (activity: Activity, commits: Commits = COMMITS.reported) =>
    statusOf({ ...INITIAL_STATE, activity, commits });

  it.each([
    ['starting', 'stopped'],
    ['delivering', 'delivering'],
    ['idle', 'idle'],
    ['retrying', 'retrying'],
    ['holding', 'holding'],
    ['stopping', 'stopped'],
    ['stopped', 'stopped'],
    ['broken', 'failed'],
  ] as const)('of %s is %s', (name, shown) => {
    expect(status(ACTIVITIES[name]).state).toBe(shown);
  });

  it('is holding while commits fail, with their reason first', () => {
    expect(status(ACTIVITIES.delivering, COMMITS.failing)).toMatchObject({
      state: 'holding',
      reason: 'disk full',
    });
    expect(status(ACTIVITIES.retrying, COMMITS.failing).reason).toBe('disk full');
    expect(status(ACTIVITIES.retrying).reason).toBe('down');
    expect(status(ACTIVITIES.broken, COMMITS.failing)).toMatchObject({ state: 'failed', reason: 'bug' });
  });
});
