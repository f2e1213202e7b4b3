import type { AlertAnswer } from '../api/api-answers.ts';
import { numberText } from '../terminal/number-text.ts';
import { jsonLine, sanitizeForTerminal } from '../terminal/sanitize-for-terminal.ts';
import { preciseTimeText } from '../terminal/time-text.ts';
import { alertName, type ObservedAlert, observedAlerts } from './alert-frame.ts';
import { NO_ALERTS } from './alert-text.ts';
import type { Display, DisplayOptions } from './display.ts';

/** `gone`: the alert was deleted, or its segment has no values any more. */
type Change = Omit<ObservedAlert, 'state'> & {
  readonly time: string;
  readonly state: ObservedAlert['state'] | 'gone';
};

/** For a pipe: first one line for each alert, then one for each change. */
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
    if (this.#isAway) this.#print(`${time} the aggregator is reachable again\n`);
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
    if (!this.#isAway) this.#print(`${this.#time()} not reachable, retrying: ${reason.split('\n', 1)[0]}\n`);
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
      if (isNew)
        this.#print(`${time} ${sanitizeForTerminal(id)} cannot be checked: ${sanitizeForTerminal(reason)}\n`);
    }
    for (const id of this.#problems.keys()) {
      if (!problems.has(id))
        this.#print(`${time} ${sanitizeForTerminal(id)} can be checked again, or was deleted\n`);
    }
    this.#problems = problems;
  }

  /** JSON is for programs: text that is not a change is written to standard error. */
  #print(line: string): void {
    const { io, json } = this.#options;
    (json ? io.stderr : io.stdout).write(line);
  }

  #time(): string {
    const { clock, terminal } = this.#options;
    return preciseTimeText(new Date(Number(clock.nowUnixNano() / 1_000_000n)).toISOString(), terminal);
  }
}

function changeText({ time, state, observed, condition, ...change }: Change): string {
  return `${time} ${alertName(change)} ${state}, observed ${numberText(observed)} (${condition})\n`;
}

function changeJson({ time, alert, segment, state, since, observed, condition }: Change): string {
  return jsonLine({ time, alert, segment, state, since, observed, condition });
}
