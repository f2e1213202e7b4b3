import type { AlertAnswer } from '../api/api-answers.ts';
import { LiveScreen } from '../terminal/live-screen.ts';
import { alertFrame, type ObservedAlert, observedAlerts } from './alert-frame.ts';
import { problemsText } from './alert-text.ts';
import type { Display, DisplayOptions } from './display.ts';

/** For a terminal: a table that is redrawn in place. */
export class LiveTable implements Display {
  readonly #options: DisplayOptions;
  readonly #screen: LiveScreen;
  #alerts: readonly ObservedAlert[] = [];
  #problems = '';

  constructor(options: DisplayOptions) {
    this.#options = options;
    this.#screen = new LiveScreen(options.io.stdout, options.terminal);
  }

  show(alerts: readonly AlertAnswer[]): void {
    this.#alerts = observedAlerts(alerts);
    this.#problems = problemsText(alerts, this.#options.terminal);
    this.#draw(undefined);
  }

  away(reason: string): void {
    this.#draw(reason);
  }

  close(): void {
    this.#screen.close();
  }

  #draw(away: string | undefined): void {
    const { clock, refreshSeconds, terminal } = this.#options;
    const nowMs = Number(clock.nowUnixNano() / 1_000_000n);
    this.#screen.draw(
      alertFrame({ alerts: this.#alerts, problems: this.#problems, nowMs, refreshSeconds, away }, terminal),
    );
  }
}
