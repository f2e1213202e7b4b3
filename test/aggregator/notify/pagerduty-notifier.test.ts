import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { alertPager } from '../../../src/aggregator/notify/alert-pager.ts';
import type { Incident, IncidentDetails } from '../../../src/aggregator/notify/notifier.ts';
import type { NotifyState } from '../../../src/aggregator/notify/notify-state.ts';
import { PagerDutyNotifier } from '../../../src/aggregator/notify/pagerduty-notifier.ts';
import type { Json } from '../../../src/records/json.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { accepted, answering, PagerDutyServer } from '../../support/pagerduty-server.ts';

const KEY = '0123456789abcdef0123456789abcdef';
const DELIVERY: Incident = { emitter: 'text', kind: 'delivery' };

class MemoryState implements NotifyState {
  state: Json | undefined;
  load(): Json | undefined {
    return this.state;
  }
  async save(state: Json): Promise<void> {
    await Promise.resolve();
    this.state = state;
  }
}

async function setUp({ emitters = ['text'], timeoutMs = 10_000 } = {}) {
  const server = await PagerDutyServer.create();
  const clock = new FakeClock();
  const state = new MemoryState();
  const logs = capturedLogger();
  const notifier = () => {
    const made = new PagerDutyNotifier({
      settings: {
        integrationKey: KEY,
        incidentKey: 'main/7',
        identifier: 'Log Drain #7',
        server: server.address,
        ca: server.certificate,
      },
      emitters,
      state,
      source: 'host-1',
      clock,
      logger: logs.logger,
      metrics: new Registry(),
      random: () => 0.5,
      timeoutMs,
    });
    onTestFinished(() => made.stop(AbortSignal.abort()));
    return made;
  };
  const actions = async (count: number) => {
    await vi.waitFor(() => expect(server.actions).toHaveLength(count), 10_000);
    return server.actions;
  };
  return { server, clock, state, logs, notifier, actions };
}

function failure(reason = 'EPIPE', records = 10): IncidentDetails {
  return { reason, records, bytes: records * 10, attempts: 1, batchId: '1/0' };
}

/** The state has no unsent event. */
async function untilSent(state: MemoryState): Promise<void> {
  await vi.waitFor(() => expect(JSON.stringify(state.state)).not.toContain('"isUnsent":true'), 10_000);
}

describe('PagerDutyNotifier', () => {
  it('triggers, and resolves', async () => {
    const { notifier, server, actions, state } = await setUp();
    const told = notifier();
    await told.start();
    told.trigger(DELIVERY, failure());
    await actions(1);
    await untilSent(state);
    expect(server.events[0]).toMatchObject({
      routing_key: KEY,
      payload: {
        summary: 'Aggregator failed to emit: Log Drain #7 (emitter text): EPIPE',
        source: 'host-1',
        severity: 'error',
        custom_details: {
          emitter: 'text',
          entries: 10,
          bytes: 100,
          attempts: 1,
          last_error: 'EPIPE',
          batch_id: '1/0',
        },
      },
    });
    told.resolve(DELIVERY);
    expect(await actions(2)).toEqual(['trigger main/7', 'resolve main/7']);
    expect(server.events[1]).toEqual({ routing_key: KEY, event_action: 'resolve', dedup_key: 'main/7' });
    await vi.waitFor(() => expect(state.state).toEqual({ version: 1, incidents: [] }));
  });

  it('reports open incidents, and why the last event could not be sent', async () => {
    const { notifier, server, clock, actions } = await setUp();
    server.answer = answering(500, '');
    const told = notifier();
    await told.start();
    told.trigger(DELIVERY, failure());
    await vi.waitFor(() => expect(told.report().lastError).toMatch(/^HTTP 500/), 10_000);
    expect(told.report().openIncidents).toEqual([
      { key: 'text/delivery', summary: 'EPIPE', since: expect.stringMatching(/^\d{4}-.*Z$/) },
    ]);
    server.answer = accepted;
    await clock.advance(10_000);
    await actions(2);
    await vi.waitFor(() => expect(told.report().lastError).toBeUndefined(), 10_000);
    told.resolve(DELIVERY);
    expect(told.report().openIncidents).toEqual([]);
  });

  it('triggers for an alert that cannot be checked, and resolves when it can be checked', async () => {
    const { notifier, server, actions } = await setUp();
    const told = notifier();
    await told.start();
    const pager = alertPager(told);
    pager.cannotEvaluate('wide', { reason: 'the disk is gone', sinceUnixMicro: 1_700_000_000_000_000 });
    await actions(1);
    expect(pager.unevaluated()).toEqual(['wide']);
    expect(server.events[0]).toEqual({
      routing_key: KEY,
      event_action: 'trigger',
      dedup_key: 'main/7/evaluation/wide',
      payload: {
        summary: 'Aggregator cannot check an alert: Log Drain #7 (wide): the disk is gone',
        source: 'host-1',
        severity: 'error',
        custom_details: {
          alert: 'wide',
          last_error: 'the disk is gone',
          first_failed_at: '2023-11-14T22:13:20.000Z',
        },
      },
    });
    pager.canEvaluate('wide');
    await actions(2);
    expect(server.events[1]).toEqual({
      routing_key: KEY,
      event_action: 'resolve',
      dedup_key: 'main/7/evaluation/wide',
    });
    expect(pager.unevaluated()).toEqual([]);
  });

  it('ignores a resolve of an incident that is not open', async () => {
    const { notifier, server } = await setUp();
    const told = notifier();
    await told.start();
    told.resolve(DELIVERY);
    await told.stop(new AbortController().signal);
    expect(server.events).toEqual([]);
  });

  it('separates the incidents of several emitters', async () => {
    const { notifier, actions } = await setUp({ emitters: ['text', 'file'] });
    const told = notifier();
    await told.start();
    told.trigger(DELIVERY, failure());
    told.trigger({ emitter: 'file', kind: 'dead-letters' }, failure());
    expect((await actions(2)).toSorted()).toEqual([
      'trigger main/7/file/dead-letters',
      'trigger main/7/text',
    ]);
  });

  it('sends at most one trigger a minute, with summed amounts', async () => {
    const { notifier, server, actions, clock, state } = await setUp();
    const told = notifier();
    await told.start();
    told.trigger(DELIVERY, failure('first', 1));
    await actions(1);
    await untilSent(state);
    for (let i = 0; i < 1000; i++) told.trigger(DELIVERY, failure(`failure ${i}`, 1));
    await clock.advance(59_000);
    expect(server.events).toHaveLength(1);
    await clock.advance(1000);
    await actions(2);
    expect(server.events[1]?.payload?.custom_details).toMatchObject({
      entries: 1001,
      bytes: 10_010,
      attempts: 1001,
      last_error: 'failure 999',
      first_failed_at: '2023-11-14T22:13:20.000Z',
    });
  });

  it('does not trigger twice within a minute, even after a resolve', async () => {
    const { notifier, server, actions, clock, state } = await setUp();
    const told = notifier();
    await told.start();
    told.trigger(DELIVERY, failure());
    await actions(1);
    await untilSent(state);
    told.resolve(DELIVERY);
    await actions(2);
    await untilSent(state);
    told.trigger(DELIVERY, failure('again', 3));
    await clock.advance(30_000);
    expect(server.events).toHaveLength(2);
    told.resolve(DELIVERY);
    await clock.advance(60_000);
    expect(server.events).toHaveLength(2);
    told.trigger(DELIVERY, failure('again', 4));
    await actions(3);
    expect(server.events[2]?.payload?.custom_details.entries).toBe(4);
  });

  it('tries again after 5 s, 30 s, 60 s ...', async () => {
    const { notifier, server, actions, clock, logs } = await setUp();
    server.answer = answering(503, 'no');
    const told = notifier();
    await told.start();
    told.trigger(DELIVERY, failure());
    const failures = () =>
      logs.lines.filter(({ msg }) => msg.includes('Cannot send an event to PagerDuty; trying again'));
    for (const [index, delayMs] of [5000, 30_000, 60_000, 120_000, 300_000, 300_000].entries()) {
      await vi.waitFor(() => expect(failures()).toHaveLength(index + 1));
      expect(failures()[index]?.delayMs).toBe(delayMs);
      await clock.advance(delayMs - 1);
      expect(server.events).toHaveLength(index + 1);
      if (index === 5) server.answer = accepted;
      await clock.advance(1);
      await actions(index + 2);
    }
    await vi.waitFor(() => expect(logs.lines.at(-1)?.msg).toBe('Sent an event to PagerDuty'));
  });

  it('waits as long as PagerDuty requests', async () => {
    const { notifier, server, actions, clock, logs } = await setUp();
    server.answer = answering(429, '{}', { 'retry-after': '900' });
    const told = notifier();
    await told.start();
    told.trigger(DELIVERY, failure());
    await actions(1);
    await vi.waitFor(() => expect(logs.lines).toHaveLength(1));
    server.answer = accepted;
    await clock.advance(899_000);
    expect(server.events).toHaveLength(1);
    await clock.advance(1000);
    await actions(2);
  });

  it('logs an error when PagerDuty is unreachable for half an hour', async () => {
    const { notifier, server, clock, logs } = await setUp();
    server.answer = answering(500, '');
    const told = notifier();
    await told.start();
    told.trigger(DELIVERY, failure());
    for (let i = 1; i <= 12; i++) {
      await vi.waitFor(() => expect(server.events).toHaveLength(i));
      await vi.waitFor(() => expect(logs.lines.filter(({ level }) => level === 40)).toHaveLength(i));
      await clock.advance(300_000);
    }
    expect(logs.lines.filter(({ level }) => level === 50).length).toBeGreaterThan(0);
  });

  it('sends only the resolve when a failed trigger may have arrived', async () => {
    const { notifier, server, actions, clock, logs } = await setUp();
    server.answer = answering(500, '');
    const told = notifier();
    await told.start();
    told.trigger(DELIVERY, failure());
    await vi.waitFor(() => expect(logs.lines).toHaveLength(1));
    told.resolve(DELIVERY);
    server.answer = accepted;
    await clock.advance(5000);
    expect(await actions(2)).toEqual(['trigger main/7', 'resolve main/7']);
  });

  it('opens the incident again when it is triggered while its resolve is being sent', async () => {
    const { notifier, server, actions, clock, state } = await setUp();
    const told = notifier();
    await told.start();
    told.trigger(DELIVERY, failure());
    await actions(1);
    await untilSent(state);
    let release: () => void = () => undefined;
    server.answer = (response) => {
      release = () => accepted(response);
    };
    told.resolve(DELIVERY);
    await actions(2);
    told.trigger(DELIVERY, failure('again', 4));
    release();
    // That trigger waits for the minute to pass; it was never sent, so its resolve is not sent either.
    await vi.waitFor(() => expect(JSON.stringify(state.state)).toContain('"mayBeShown":false'));
    server.answer = accepted;
    told.resolve(DELIVERY);
    await clock.advance(120_000);
    told.trigger(DELIVERY, failure('at last', 5));
    await actions(3);
    expect(server.events[2]?.payload?.custom_details).toMatchObject({ last_error: 'at last', entries: 5 });
  });

  it('discards an event that is rejected permanently, and sends the next', async () => {
    const { notifier, server, actions, clock, logs } = await setUp();
    server.answer = answering(400, '{"errors": ["no"]}');
    const told = notifier();
    await told.start();
    told.trigger(DELIVERY, failure());
    await actions(1);
    await vi.waitFor(() => expect(logs.lines).toHaveLength(1));
    expect(logs.lines[0]).toMatchObject({ level: 50, reason: 'HTTP 400: no' });
    server.answer = accepted;
    told.trigger(DELIVERY, failure());
    await clock.advance(60_000);
    await actions(2);
  });

  it('never writes the key to the log', async () => {
    const { notifier, server, logs } = await setUp();
    server.answer = answering(400, JSON.stringify({ message: `${KEY} is not a key`, errors: [KEY] }));
    const told = notifier();
    await told.start();
    told.trigger(DELIVERY, failure());
    await vi.waitFor(() => expect(logs.lines).toHaveLength(1));
    expect(JSON.stringify(logs.lines)).not.toContain(KEY);
  });
});

describe('PagerDutyNotifier: across restarts', () => {
  it('resolves incidents of an earlier run', async () => {
    const { notifier, actions, state } = await setUp();
    const first = notifier();
    await first.start();
    first.trigger(DELIVERY, failure());
    await actions(1);
    await untilSent(state);
    await first.stop(new AbortController().signal);

    const second = notifier();
    await second.start();
    second.resolve(DELIVERY);
    expect(await actions(2)).toEqual(['trigger main/7', 'resolve main/7']);
  });

  it('sends unsent incidents of an earlier run, in their newest state', async () => {
    const { notifier, server, actions, logs } = await setUp();
    server.answer = answering(503, '');
    const first = notifier();
    await first.start();
    first.trigger(DELIVERY, failure('one', 1));
    await vi.waitFor(() => expect(logs.lines).toHaveLength(1));
    first.trigger(DELIVERY, failure('two', 1));
    await first.stop(new AbortController().signal);
    // One event at once, one at the stop.
    expect(server.events).toHaveLength(2);

    server.answer = accepted;
    await notifier().start();
    await actions(3);
    expect(server.events[2]?.payload?.custom_details).toMatchObject({ last_error: 'two', entries: 2 });
  });

  it('resolves with the key that opened the incident, after emitters were added', async () => {
    const { notifier, actions, state } = await setUp();
    const first = notifier();
    await first.start();
    first.trigger(DELIVERY, failure());
    await actions(1);
    await untilSent(state);
    await first.stop(new AbortController().signal);

    const other = await setUp({ emitters: ['text', 'file'] });
    other.state.state = state.state;
    const second = other.notifier();
    await second.start();
    second.resolve(DELIVERY);
    expect(await other.actions(1)).toEqual(['resolve main/7']);
  });

  it('resolves the incidents of an emitter that is no longer configured', async () => {
    const { notifier, actions, state } = await setUp({ emitters: ['text'] });
    const first = notifier();
    await first.start();
    first.trigger(DELIVERY, failure());
    await actions(1);
    await untilSent(state);
    await first.stop(new AbortController().signal);

    const other = await setUp({ emitters: ['file'] });
    other.state.state = state.state;
    await other.notifier().start();
    expect(await other.actions(1)).toEqual(['resolve main/7']);
  });

  it.each([[null], ['text'], [{ incidents: 3 }], [{ incidents: [null, { emitter: 1 }] }]])(
    'starts with a damaged state: %j',
    async (damaged) => {
      const { notifier, state, actions } = await setUp();
      state.state = damaged;
      const told = notifier();
      await told.start();
      told.trigger(DELIVERY, failure());
      await actions(1);
    },
  );

  it('continues when the state cannot be saved', async () => {
    const { notifier, state, actions, logs } = await setUp();
    state.save = () => Promise.reject(new Error('disk full'));
    const told = notifier();
    await told.start();
    told.trigger(DELIVERY, failure());
    await actions(1);
    expect(logs.lines).toContainEqual(
      expect.objectContaining({ level: 50, msg: expect.stringContaining('Cannot save the state') }),
    );
  });
});

describe('PagerDutyNotifier: stop', () => {
  it('sends pending events', async () => {
    const { notifier, server } = await setUp();
    const told = notifier();
    await told.start();
    told.trigger(DELIVERY, failure());
    await told.stop(new AbortController().signal);
    expect(server.actions).toEqual(['trigger main/7']);
  });

  it('stops at the deadline and keeps unsent events for the next run', async () => {
    const { notifier, server, state } = await setUp();
    server.answer = () => undefined;
    const told = notifier();
    await told.start();
    told.trigger(DELIVERY, failure());
    const deadline = new AbortController();
    setTimeout(() => deadline.abort(), 50);
    await told.stop(deadline.signal);
    expect(JSON.stringify(state.state)).toContain('"isUnsent":true');
  });

  it('can be called before the start and twice', async () => {
    const { notifier } = await setUp();
    const told = notifier();
    for (let times = 0; times < 2; times++)
      await expect(told.stop(new AbortController().signal)).resolves.toBeUndefined();
  });
});

describe('PagerDutyNotifier: alerts', () => {
  it('keeps the incidents of alerts across a restart', async () => {
    const { notifier, state, actions, server } = await setUp();
    const alert: Incident = { kind: 'alert', alert: 'busy', segment: 'api' };
    const first = notifier();
    await first.start();
    first.trigger(alert, { reason: 'avg is 3', records: 0, bytes: 0, attempts: 0 });
    expect(await actions(1)).toEqual(['trigger main/7/alerts/busy/api']);
    await untilSent(state);
    await first.stop(new AbortController().signal);

    const second = notifier();
    await second.start();
    expect(second.openIncidents()).toEqual([alert]);
    expect(server.events).toHaveLength(1);
    second.resolve(alert);
    expect(second.openIncidents()).toEqual([]);
    expect(await actions(2)).toEqual(['trigger main/7/alerts/busy/api', 'resolve main/7/alerts/busy/api']);
  });

  it('resolves incidents that another aggregator may have opened', async () => {
    const { notifier, state, actions } = await setUp();
    const alert: Incident = { kind: 'alert', alert: 'busy', segment: null };
    const told = notifier();
    await told.start();
    told.resolve(alert, { mayBeOpenElsewhere: true });
    expect(await actions(1)).toEqual(['resolve main/7/alerts/busy']);
    await vi.waitFor(() => expect(state.state).toEqual({ version: 1, incidents: [] }));
    told.resolve(alert);
    told.trigger(alert, { reason: 'avg is 3', records: 0, bytes: 0, attempts: 0 });
    told.resolve(alert, { mayBeOpenElsewhere: true });
    // Including incidents that this notifier had not opened yet.
    expect(await actions(2)).toEqual(['resolve main/7/alerts/busy', 'resolve main/7/alerts/busy']);
  });

  it('reads state of versions without alerts', async () => {
    const { notifier, state } = await setUp();
    state.state = {
      version: 1,
      incidents: [
        {
          emitter: 'text',
          kind: 'delivery',
          dedupKey: 'main/7',
          isOpen: true,
          mayBeShown: true,
          isUnsent: false,
          reason: 'EPIPE',
          records: 1,
          bytes: 1,
          attempts: 1,
          batchId: null,
          firstFailedAt: '2024-01-01T00:00:00.000Z',
        },
        { kind: 'of a later version' },
      ],
    };
    const told = notifier();
    await told.start();
    expect(told.openIncidents()).toEqual([DELIVERY]);
  });
});
