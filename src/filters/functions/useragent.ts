import { createRequire } from 'node:module';
import type * as Bowser from 'bowser';
import type { FilterRun } from '../filter-run.ts';
import { elementsOf, textOf } from '../filter-value.ts';
import { addTag } from '../tags.ts';
import { type FilterFunction, PREFIX } from './filter-function.ts';

/**
 * Adds browser and operating system of the first text that names a browser, and the tag `bot` for robots.
 * Without `prefix`, the attributes have OpenTelemetry's names; with it, the short names of pyloggr.
 */
export const useragent: FilterFunction = {
  name: 'useragent',
  usage: 'useragent(VALUE, ..., prefix = "ua_")',
  values: [0, 100],
  named: [PREFIX],
  compile: (call) => {
    const prefix = call.namedText(PREFIX);
    const values = call.valuesOr('user_agent.original');
    const names = prefix === undefined ? OTEL_NAMES : SHORT_NAMES.map((name) => prefix + name);
    for (const name of [...names, 'tags']) call.writes(name);
    const run = (state: FilterRun): boolean => {
      for (const value of values) {
        for (const each of elementsOf(value(state))) {
          const text = textOf(each);
          if (text !== undefined && addAgent(state, agentOf(text), names)) return true;
        }
      }
      return false;
    };
    return { kind: 'extract', run };
  },
};

const OTEL_NAMES = ['user_agent.name', 'user_agent.version', 'user_agent.os.name', 'user_agent.os.version'];
const SHORT_NAMES = ['browser', 'browser_version', 'browser_os', 'browser_os_version'];

interface Agent {
  /** In the order of the names. */
  readonly parts: readonly (string | undefined)[];
  readonly isBot: boolean;
}

function addAgent(run: FilterRun, { parts, isBot }: Agent, names: readonly string[]): boolean {
  let isFound = false;
  for (const [at, name] of names.entries()) {
    const value = parts[at];
    if (value === undefined) continue;
    run.change().attributes.set(name, value);
    isFound = true;
  }
  if (isBot) addTag(run, 'bot');
  return isFound || isBot;
}

const MAX_AGENT = 1024;
const MAX_KNOWN = 2000;
const BOT = /bot\b|bot[/;) ]|crawl|spider|slurp|curl\/|wget\/|python-|go-http-client|facebookexternalhit/i;
const NOTHING: Agent = { parts: [], isBot: false };

/** Most requests come from a few programs. The oldest result is forgotten first. */
const known = new Map<string, Agent>();

function agentOf(text: string): Agent {
  const cut = text.slice(0, MAX_AGENT);
  if (cut.trim() === '' || cut === '-') return NOTHING;
  const found = known.get(cut);
  if (found !== undefined) return found;
  const agent = parseAgent(cut);
  if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value ?? '');
  known.set(cut, agent);
  return agent;
}

/** Loaded for the first text: few filters use this function. */
function parser(): typeof Bowser {
  bowser ??= createRequire(import.meta.url)('bowser') as typeof Bowser;
  return bowser;
}

let bowser: typeof Bowser | undefined;

function parseAgent(text: string): Agent {
  const isBot = BOT.test(text);
  try {
    const { browser, os } = parser().parse(text);
    return { parts: [browser.name, browser.version, os.name, os.version].map(filled), isBot };
  } catch {
    return { parts: [], isBot };
  }
}

function filled(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
