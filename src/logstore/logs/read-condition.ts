import { ExpressionError } from '../../expressions/expression-error.ts';
import { parseGrouped } from '../../expressions/log-groups.ts';
import { splitCondition } from './split-condition.ts';

/** A condition of a request: a value of a property, or an expression. */
export type Condition =
  | { readonly property: string; readonly value: string }
  | { readonly expression: string };

/**
 * Reads the text of a condition. `property=value`, without blanks around `=`, selects the value as it is:
 * `request_route=/a b`. Everything else is an expression, also several terms: `status_code=500 or severity >= error`.
 * undefined: the text is a single word. Throws PropertyError.
 */
export function readCondition(text: string): Condition | undefined {
  if (SINGLE_WORD.test(text)) return undefined;
  const isPair = [SIMPLE, SIMPLE_EMPTY, BRACKETED, WITHOUT_BLANKS].some((form) => form.test(text));
  const pair = isPair ? splitCondition(text) : undefined;
  if (pair === undefined || isSeveralTerms(text)) return { expression: text };
  return pair;
}

const SINGLE_WORD = /^[^\s=<>~!()'"]*$/;
/** A name or section(...), then `=` and no blank. */
const SIMPLE = /^(?:[^\s=<>!~'"()[\]]+|section\([^()]*\))=(?![=~\s])/;
const SIMPLE_EMPTY = /^(?:[^\s=<>!~'"()[\]]+|section\([^()]*\))=$/;
const BRACKETED = /^(?:attributes)?\[(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\](?:\[[^\]]*\])*=(?![=~\s])/;
/** Its first operator is `=`; a wrong name is reported as such. */
const WITHOUT_BLANKS = /^(?!\()[^\s=<>!~'"]*=(?![=~])\S*$/;
const CONNECTED = /\s(?:and|or)\s/i;

function isSeveralTerms(text: string): boolean {
  if (!CONNECTED.test(text)) return false;
  try {
    const { kind } = parseGrouped(text);
    return kind === 'and' || kind === 'or';
  } catch (error) {
    if (error instanceof ExpressionError) return false;
    throw error;
  }
}
