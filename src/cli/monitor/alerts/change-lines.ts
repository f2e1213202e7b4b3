import type { AlertAnswer } from '../api/api-answers.ts';
import { harmless, jsonLine } from '../terminal/harmless.ts';
import { numberText } from '../terminal/number-text.ts';
import { preciseTimeText } from '../terminal/time-text.ts';
import { nameOf, type ObservedAlert, observedAlerts } from './alert-frame.ts';
import { NO_ALERTS } from './alert-text.ts';
import type { Display, DisplayOptions } from './display.ts';

/** `gone`: it was deleted, or its segment has no values any more. */
type Change = Omit<ObservedAlert, 'state'> & {
  readonly time: string;
  readonly state: ObservedAlert['state'] | 'gone';
};

/** For a pipe: one line for each alert at the beginning, then one for each change. */
export class ChangeLines implements Display {
  readonly #options: DisplayOptions;
  #before: ReadonlyMap<string, ObservedAlert> | undefined;
  #problems: ReadonlyMap<string, string> = new Map();
  #isAway = false;

  constructor(options: DisplayOptions) {
    this.#options = options;
  }

  show(answer: readonly AlertAnswer[]): void {
    const time = this.#time();
    if (this.#isAway) this.#say(`${time} the aggregator is back\n`);
    this.#isAway = false;
    const alerts = observedAlerts(answer);
    if (alerts.length === 0 && this.#before === undefined) this.#options.io.stderr.write(NO_ALERTS);
    const lineOf = this.#options.json ? changeJson : changeText;
    const now = new Map(alerts.map((alert) => [alert.key, alert]));
    const changed = alerts.filter(({ key, state }) => this.#before?.get(key)?.state !== state);
    const gone = [...(this.#before?.values() ?? [])].filter(({ key }) => !now.has(key));
    const changes = [...changed, ...gone.map((alert) => ({ ...alert, state: 'gone' as const }))];
    this.#options.io.stdout.write(changes.map((change) => lineOf({ ...change, time })).join(''));
    this.#before = now;
    this.#showProblems(answer, time);
  }

  away(reason: string): void {
    if (!this.#isAway) this.#say(`${this.#time()} away, trying again: ${reason.split('\n', 1)[0]}\n`);
    this.#isAway = true;
  }

  close(): void {}

  #showProblems(answer: readonly AlertAnswer[], time: string): void {
    const problems = new Map(
      answer.flatMap(({ definition, problem }) =>
        problem === undefined ? [] : [[definition.id, problem.reason] as const],
      ),
    );
    for (const [id, reason] of problems) {
      const isNew = this.#problems.get(id) !== reason;
      if (isNew) this.#say(`${time} ${harmless(id)} cannot be checked: ${harmless(reason)}\n`);
    }
    for (const id of this.#problems.keys()) {
      if (!problems.has(id)) this.#say(`${time} ${harmless(id)} can be checked again, or is gone\n`);
    }
    this.#problems = problems;
  }

  /** JSON is for programs: what is no change goes beside it. */
  #say(line: string): void {
    const { io, json } = this.#options;
    (json ? io.stderr : io.stdout).write(line);
  }

  #time(): string {
    const { clock, terminal } = this.#options;
    return preciseTimeText(new Date(Number(clock.nowUnixNano() / 1_000_000n)).toISOString(), terminal);
  }
}

function changeText({ time, state, observed, condition, ...change }: Change): string {
  return `${time} ${nameOf(change)} ${state}, observed ${numberText(observed)} (${condition})\n`;
}

function changeJson({ time, alert, segment, state, since, observed, condition }: Change): string {
  return jsonLine({ time, alert, segment, state, since, observed, condition });
}
