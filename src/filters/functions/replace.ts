import { type CompiledPattern, MAX_PATTERN_TEXT } from '../../patterns/compile-pattern.ts';
import { mapTexts } from '../filter-value.ts';
import type { FilterFunction } from './filter-function.ts';
import { readsAfterMatch } from './reads-after-match.ts';

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
    const isSlow = readsAfterMatch(pattern.tree);
    if (isSlow)
      call.warn('slow for long texts with many matches: an optional part has a loop before other parts');
    const replacement = {
      pattern,
      parts,
      maxSearched: isSlow ? MAX_SEARCHED_AFTER_MATCH : MAX_SEARCHED,
    };
    return {
      kind: 'value',
      read: (run) =>
        mapTexts(value(run), (text) => {
          const { replaced, isCut } = replaceAll(text, replacement);
          if (isCut) call.error(run, 'the new text is too long: the rest of it is removed', text);
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
 * The characters that searches of one text may read. Nearly all patterns read the text about once. A pattern
 * that can read on after its match (`a.*b|a`) reads it once for each match.
 */
const MAX_SEARCHED = 16 * 1024 * 1024;
const MAX_SEARCHED_AFTER_MATCH = 256 * 1024;
/** After that, the rest is searched in parts of this length. */
const SMALL_WINDOW = 128;
const MAX_TAIL = 1024;
const MAX_RESULT = 1024 * 1024;

interface Replacement {
  readonly pattern: CompiledPattern;
  readonly parts: readonly TemplatePart[];
  readonly maxSearched: number;
}

function replaceAll(text: string, replacement: Replacement) {
  const { maxSearched } = replacement;
  let searched = 0;
  let replaced = '';
  let begin = 0;
  do {
    const window = windowAt(text, begin, searched > maxSearched ? SMALL_WINDOW : MAX_PATTERN_TEXT);
    const done = replaceIn(window, replacement, maxSearched - searched);
    searched += done.searched;
    replaced += done.replaced;
    if (replaced.length > MAX_RESULT) return { replaced, isCut: true };
    begin += done.end;
  } while (begin < text.length);
  return { replaced, isCut: false };
}

/** Ends early, after a match, when it has read `maxSearched` characters; not in a small window. */
function replaceIn(window: string, { pattern, parts }: Replacement, maxSearched: number) {
  let replaced = '';
  let searched = 0;
  let from = 0;
  let copied = 0;
  while (from <= window.length) {
    const match = pattern.execFrom(window, from);
    searched += window.length;
    if (match === undefined) break;
    replaced += window.slice(copied, match.start);
    for (const part of parts) {
      if (typeof part === 'string') replaced += part;
      else replaced += part < 0 ? window.slice(match.start, match.end) : (match.values[part] ?? '');
    }
    copied = match.end;
    from = match.end > match.start ? match.end : match.end + 1;
    const isTooMuch = searched > maxSearched && window.length > SMALL_WINDOW;
    if (isTooMuch && copied > 0) return { replaced, searched, end: copied };
    if (replaced.length > MAX_RESULT) break;
  }
  return { replaced: replaced + window.slice(copied), searched, end: Math.max(1, window.length) };
}

/** A part of a longer text ends at a line or a blank. */
function windowAt(text: string, begin: number, size: number): string {
  if (text.length - begin <= size) return text.slice(begin);
  const end = begin + size;
  const tailLength = Math.min(MAX_TAIL, size / 2);
  const tail = text.slice(end - tailLength, end);
  const cut = Math.max(tail.lastIndexOf('\n'), tail.lastIndexOf(' '));
  const whole = cut < 0 ? end : end - tailLength + cut + 1;
  const isHalf = (text.charCodeAt(whole - 1) & 0xfc00) === 0xd800;
  return text.slice(begin, isHalf ? whole - 1 : whole);
}
