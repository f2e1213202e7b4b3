import { isBefore, laterOf } from '../../storage/queue/cursor-order.ts';
import type { CursorPoint } from '../../storage/queue/queue-contract.ts';
import { extendStreak, type Failure, type FailureContext, type FailureStreak } from './failure-streak.ts';

/**
 * The state of one emitter's delivery: three regions that change independently, since a commit runs while the
 * next group is emitted. Only `transition` computes a state, and only `Lifecycle` stores one.
 *
 * ACTIVITY. An empty cell means: no change.
 *
 *     event         | starting   | delivering | idle       | retrying, holding | stopping   | stopped
 *     --------------|------------|------------|------------|-------------------|------------|-----------
 *     started       | delivering |            |            |                   |            |
 *     polled        |            |            | delivering |                   |            |
 *     emptied       |            | idle       |            |                   | stopped    |
 *     failed        |            | retrying or holding     | retrying, holding | longer     | longer
 *     flushed       |            |            |            | delivering        | no streak  | no streak
 *     dropped       |            |            |            | delivering        | no streak  | no streak
 *     delay-began   |            |            |            |                   | stopped    |
 *     delay-ended   |            |            |            |                   | stopped *  |
 *     finish        | stopped    | stopping   | stopping   | stopping          |            |
 *     stopped       | stopped    | stopped    | stopped    | stopped           | stopped    |
 *     broken        | broken     | broken     | broken     | broken            | broken     | broken
 *
 *     *  if the destination requested the delay; otherwise one more attempt follows
 *
 * `failed` begins a streak of failures or makes it longer; its length decides between `retrying` and
 * `holding`. `stopping`, `stopped` and `broken` keep the streak. Nothing follows `broken`.
 *
 * COMMITS
 *
 *     event             | reported | running    | failing    | unreported | abandoned
 *     ------------------|----------|------------|------------|------------|----------
 *     commit-began      | running  |            |            | running    |
 *     commit-failed     |          | failing    | failing    |            |
 *     commit-ended      |          | unreported, or reported if no flush preceded it
 *     commit-reported   |          |            |            | reported   |
 *     commit-abandoned  |          | abandoned  | abandoned  |            |
 *
 * GROUPING
 *
 *     event             | grouped   | isolating
 *     ------------------|-----------|----------------------------------------------------
 *     rewound           | isolating | isolating, up to the later one of the two positions
 *     replays-emptied   |           | without the replays
 *     group-began       |           | grouped, if the failed position is passed and no replay is isolated
 */
export interface DeliveryState {
  readonly activity: Activity;
  readonly commits: Commits;
  readonly grouping: Grouping;
}

export type Activity =
  | { readonly kind: 'starting' }
  | { readonly kind: 'delivering' }
  /** The queue has nothing to emit. */
  | { readonly kind: 'idle' }
  /** The last attempt failed; it is repeated after a delay. */
  | { readonly kind: 'retrying'; readonly streak: FailureStreak }
  /** The retries are used up, or an operator must act. Attempts continue. */
  | { readonly kind: 'holding'; readonly streak: FailureStreak }
  /** Delivers all queued records, until the first failure. */
  | { readonly kind: 'stopping'; readonly streak: FailureStreak | undefined }
  | { readonly kind: 'stopped'; readonly streak: FailureStreak | undefined }
  /** Ended by an internal error. */
  | { readonly kind: 'broken'; readonly reason: string; readonly streak: FailureStreak | undefined };

export type Commits =
  /** The last commit is done, and the emitter is notified of it. */
  | { readonly kind: 'reported' }
  /** `isFlushed`: the emitter is to be notified after the commit. */
  | { readonly kind: 'running'; readonly isFlushed: boolean }
  | { readonly kind: 'failing'; readonly isFlushed: boolean; readonly reason: string }
  | { readonly kind: 'unreported' }
  /** Its attempts ended at the shutdown; no later commit may move the cursor past it. */
  | { readonly kind: 'abandoned'; readonly reason: string };

export type Grouping =
  /** Several batches share one flush and one commit. */
  | { readonly kind: 'grouped' }
  /** Each batch before `until`, and each replay if `replays`, has its own flush and commit. */
  | { readonly kind: 'isolating'; readonly until: CursorPoint; readonly replays: boolean };

export type StateEvent = ActivityEvent | CommitEvent | GroupingEvent;

type ActivityEvent =
  | { readonly kind: 'started' }
  /** Delivery looks for the next batch. */
  | { readonly kind: 'polled' }
  /** The queue is empty, and everything that was emitted is committed. */
  | { readonly kind: 'emptied' }
  | FailedEvent
  /** The destination has stored records permanently. */
  | { readonly kind: 'flushed' }
  /** The batch was dropped after its last retry. */
  | { readonly kind: 'dropped' }
  /** The retry delay. */
  | { readonly kind: 'delay-began' | 'delay-ended' }
  /** A shutdown begins. */
  | { readonly kind: 'finish' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'broken'; readonly reason: string };

interface FailedEvent {
  readonly kind: 'failed';
  readonly failure: Failure;
  readonly context: FailureContext;
}

type CommitEvent =
  | { readonly kind: 'commit-began'; readonly isFlushed: boolean }
  | { readonly kind: 'commit-failed'; readonly reason: string }
  | { readonly kind: 'commit-ended' | 'commit-abandoned' | 'commit-reported' };

type GroupingEvent =
  /** Everything since the last flush is emitted again. */
  | { readonly kind: 'rewound'; readonly until: CursorPoint; readonly replays: boolean }
  /** No replay is left to emit. */
  | { readonly kind: 'replays-emptied' }
  | { readonly kind: 'group-began'; readonly at: CursorPoint };

export const INITIAL_STATE: DeliveryState = {
  activity: { kind: 'starting' },
  commits: { kind: 'reported' },
  grouping: { kind: 'grouped' },
};

/** Each event changes one region. Returns the same object for an event that has no effect in this state. */
export function transition(state: DeliveryState, event: StateEvent): DeliveryState {
  switch (event.kind) {
    case 'commit-began':
    case 'commit-failed':
    case 'commit-ended':
    case 'commit-abandoned':
    case 'commit-reported': {
      const commits = commitsAfter(state.commits, event);
      return commits === state.commits ? state : { ...state, commits };
    }
    case 'rewound':
    case 'replays-emptied':
    case 'group-began': {
      const grouping = groupingAfter(state.grouping, event);
      return grouping === state.grouping ? state : { ...state, grouping };
    }
    case 'started':
    case 'polled':
    case 'emptied':
    case 'failed':
    case 'flushed':
    case 'dropped':
    case 'delay-began':
    case 'delay-ended':
    case 'finish':
    case 'stopped':
    case 'broken': {
      const activity = activityAfter(state.activity, event);
      return activity === state.activity ? state : { ...state, activity };
    }
  }
}

export function streakOf(activity: Activity): FailureStreak | undefined {
  return 'streak' in activity ? activity.streak : undefined;
}

/** Why commits fail at the moment. */
export function commitProblemOf(commits: Commits): string | undefined {
  return 'reason' in commits ? commits.reason : undefined;
}

/** Whether a batch that begins at `at` has its own flush and commit. */
export function isIsolated(grouping: Grouping, at: CursorPoint): boolean {
  return grouping.kind === 'isolating' && (grouping.replays || isBefore(at, grouping.until));
}

function activityAfter(activity: Activity, event: ActivityEvent): Activity {
  if (activity.kind === 'broken') return activity;
  switch (event.kind) {
    case 'started':
      return activity.kind === 'starting' ? { kind: 'delivering' } : activity;
    case 'polled':
      return activity.kind === 'idle' ? { kind: 'delivering' } : activity;
    case 'emptied':
      return afterEmptied(activity);
    case 'failed':
      return afterFailure(activity, event);
    case 'flushed':
    case 'dropped':
      return withoutStreak(activity);
    case 'delay-began':
      return activity.kind === 'stopping' ? stopped(activity) : activity;
    case 'delay-ended':
      return activity.kind === 'stopping' && activity.streak?.afterMs !== undefined
        ? stopped(activity)
        : activity;
    case 'finish':
      return afterFinish(activity);
    case 'stopped':
      return activity.kind === 'stopped' ? activity : stopped(activity);
    case 'broken':
      return { kind: 'broken', reason: event.reason, streak: streakOf(activity) };
  }
}

function afterEmptied(activity: Activity): Activity {
  if (activity.kind === 'delivering') return { kind: 'idle' };
  return activity.kind === 'stopping' ? stopped(activity) : activity;
}

function afterFailure(activity: Exclude<Activity, { kind: 'broken' }>, event: FailedEvent): Activity {
  const { kind } = activity;
  if (kind === 'starting') return activity;
  const streak = extendStreak(streakOf(activity), event.failure, event.context);
  if (kind === 'stopping' || kind === 'stopped') return { kind, streak };
  return { kind: streak.isHolding ? 'holding' : 'retrying', streak };
}

function withoutStreak(activity: Activity): Activity {
  if (activity.kind === 'retrying' || activity.kind === 'holding') return { kind: 'delivering' };
  const isEnding = activity.kind === 'stopping' || activity.kind === 'stopped';
  return isEnding && activity.streak !== undefined ? { kind: activity.kind, streak: undefined } : activity;
}

function afterFinish(activity: Activity): Activity {
  if (activity.kind === 'starting') return stopped(activity);
  return activity.kind === 'stopping' || activity.kind === 'stopped'
    ? activity
    : { kind: 'stopping', streak: streakOf(activity) };
}

function stopped(activity: Activity): Activity {
  return { kind: 'stopped', streak: streakOf(activity) };
}

function commitsAfter(commits: Commits, event: CommitEvent): Commits {
  const isRunning = commits.kind === 'running' || commits.kind === 'failing';
  switch (event.kind) {
    case 'commit-began': {
      if (isRunning || commits.kind === 'abandoned') return commits;
      // An earlier flush that the emitter was not notified of is reported together with this one.
      return { kind: 'running', isFlushed: event.isFlushed || commits.kind === 'unreported' };
    }
    case 'commit-failed':
      return isRunning ? { kind: 'failing', isFlushed: commits.isFlushed, reason: event.reason } : commits;
    case 'commit-ended':
      return isRunning ? { kind: commits.isFlushed ? 'unreported' : 'reported' } : commits;
    case 'commit-abandoned':
      return isRunning ? { kind: 'abandoned', reason: commitProblemOf(commits) ?? '' } : commits;
    case 'commit-reported':
      return commits.kind === 'unreported' ? { kind: 'reported' } : commits;
  }
}

function groupingAfter(grouping: Grouping, event: GroupingEvent): Grouping {
  const isIsolating = grouping.kind === 'isolating';
  switch (event.kind) {
    case 'rewound': {
      const { until, replays } = event;
      return isIsolating
        ? { ...grouping, until: laterOf(grouping.until, until), replays: grouping.replays || replays }
        : { kind: 'isolating', until, replays };
    }
    case 'replays-emptied':
      return isIsolating && grouping.replays ? { ...grouping, replays: false } : grouping;
    case 'group-began':
      return isIsolating && !grouping.replays && !isBefore(event.at, grouping.until)
        ? { kind: 'grouped' }
        : grouping;
  }
}
