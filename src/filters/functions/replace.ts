import { type CompiledPattern, MAX_PATTERN_TEXT } from '../../patterns/compile-pattern.ts';
import { mapTexts } from '../filter-value.ts';
import type { FilterFunction } from './filter-function.ts';

/** Replaces every match. `${name}` in the new text is the text of a named group, `$0` the whole match. */
export const replace: FilterFunction = {
  name: 'replace',
  usage: String.raw`replace(VALUE, "password=\S+", "password=***", ignore_case = true)`,
  values: [3, 3],
  named: ['ignore_case'],
  compile: (call) => {
    const value = call.value(0);
    const pattern = call.pattern(1, call.namedFlag('ignore_case') ? 'i' : '');
    const template = call.text(2, 'the new text');
    const parts = templateParts(template, pattern);
    if (typeof parts === 'string') return call.fail(parts, 2);
    const replacement = { pattern, parts, isLocal: pattern.maxLength <= MAX_LOCAL_MATCH };
    return {
      kind: 'value',
      read: (run) =>
        mapTexts(value(run), (text) => {
          const { replaced, isCut } = replaceAll(text, replacement);
          if (isCut) call.error(run, 'too many matches in a long text: the rest of it is removed', text);
          return replaced;
        }),
    };
  },
};

/** A text, or the index of a field; -1: the whole match. */
type TemplatePart = string | number;

function templateParts(template: string, pattern: CompiledPattern): readonly TemplatePart[] | string {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const { 0: found, 1: name, index } of template.matchAll(/\$(?:0|\$|\{([^}]*)\})/g)) {
    parts.push(template.slice(end, index));
    end = index + found.length;
    const field = pattern.fields.findIndex((each) => each.name === name);
    if (name !== undefined && field < 0) return `the pattern has no group named ${JSON.stringify(name)}`;
    parts.push(found === '$$' ? '$' : name === undefined ? -1 : field);
  }
  return [...parts, template.slice(end)];
}

/**
 * A match that is not long reads only a part of the text near it. For a pattern without a limit, each search
 * can read the whole text: the characters that all searches can read are limited. The rest is removed rather
 * than returned, because it may be what the filter hides.
 */
const MAX_SEARCHED = 64 * 1024 * 1024;
const MAX_LOCAL_MATCH = 1024;
const OVERLAP_LINES = 1024;
const MAX_RESULT = 1024 * 1024;

interface Replacement {
  readonly pattern: CompiledPattern;
  readonly parts: readonly TemplatePart[];
  readonly isLocal: boolean;
}

function replaceAll(text: string, { pattern, parts, isLocal }: Replacement) {
  let searched = 0;
  let replaced = '';
  for (let begin = 0; begin < text.length || begin === 0; ) {
    const window = windowAt(text, begin);
    let from = 0;
    let copied = 0;
    for (;;) {
      const match = pattern.execFrom(window, from);
      if (match === undefined) break;
      if (!isLocal) searched += window.length;
      if (searched > MAX_SEARCHED || replaced.length > MAX_RESULT) return { replaced, isCut: true };
      replaced += window.slice(copied, match.start);
      for (const part of parts) {
        if (typeof part === 'string') replaced += part;
        else replaced += part < 0 ? window.slice(match.start, match.end) : (match.values[part] ?? '');
      }
      copied = match.end;
      from = match.end > match.start ? match.end : match.end + 1;
      if (from > window.length) break;
    }
    replaced += window.slice(copied);
    begin += window.length;
    if (window.length === 0) break;
  }
  return { replaced, isCut: false };
}

/** Patterns read a limited text: a longer one is replaced in parts, which end at a line or a blank. */
function windowAt(text: string, begin: number): string {
  if (text.length - begin <= MAX_PATTERN_TEXT) return text.slice(begin);
  const end = begin + MAX_PATTERN_TEXT;
  const tail = text.slice(end - OVERLAP_LINES, end);
  const cut = Math.max(tail.lastIndexOf('\n'), tail.lastIndexOf(' '));
  const whole = cut < 0 ? end : end - OVERLAP_LINES + cut + 1;
  const isHalf = (text.charCodeAt(whole - 1) & 0xfc00) === 0xd800;
  return text.slice(begin, isHalf ? whole - 1 : whole);
}
