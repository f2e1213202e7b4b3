import type { ParsedSource } from './source-type.ts';

/** The listeners of a variable. */
interface ListedListeners<Listener> {
  readonly variable: string;
  readonly listeners: readonly Listener[];
}

export interface ListenersToParse<Listener> {
  /** Addresses with the default options. */
  readonly short: ListedListeners<Listener>;
  /** Listeners with all options. */
  readonly full: ListedListeners<Listener>;
  readonly journalMaxBytes: number;
  readonly addressText: (listener: Listener) => string;
  /** What the operator should know about a listener. */
  readonly risksOf: (listener: Listener) => readonly string[];
}

/** Joins the listeners of both variables of a source. Two of them cannot have the same address. */
export function parsedListeners<Listener>({
  short,
  full,
  journalMaxBytes,
  addressText,
  risksOf,
}: ListenersToParse<Listener>): ParsedSource<{
  readonly listeners: readonly Listener[];
  readonly journalMaxBytes: number;
}> {
  const listeners = [...short.listeners, ...full.listeners];
  const texts = listeners.map(addressText).filter((text) => !text.endsWith(':0'));
  const repeated = texts.find((text, index) => texts.indexOf(text) !== index);
  return {
    configuration: listeners.length === 0 ? undefined : { listeners, journalMaxBytes },
    problems: repeated === undefined ? [] : [{ variable: short.variable, message: `has ${repeated} twice` }],
    warnings: [short, full].flatMap(({ variable, listeners: listed }) =>
      listed.flatMap(risksOf).map((message) => ({ variable, message })),
    ),
  };
}
