import { ExpressionError } from './expression-error.ts';
import { parsePropertyAt } from './parse-expression.ts';
import { ATTRIBUTES_PREFIX, type Property } from './property.ts';

/**
 * The name of an attribute as one writes it in an expression: `order.id`, `attributes.source` for an attribute with
 * the name of a column, `['any name']` for a name with other characters. `path`: the keys from the outermost one.
 */
export function writtenName(path: readonly string[]): string {
  const plain = path.join('.');
  const candidates = [plain, `${ATTRIBUTES_PREFIX}${plain}`];
  return candidates.find((name) => means(name, plain)) ?? path.map(bracketed).join('');
}

function means(name: string, key: string): boolean {
  const property = readWhole(name);
  return property?.kind === 'attribute' && property.key === key && property.isResource !== true;
}

/** undefined: the text is not a property, or it is more than that. */
function readWhole(name: string): Property | undefined {
  try {
    const { value, end } = parsePropertyAt(name, 0);
    return end === name.length ? value : undefined;
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}

function bracketed(key: string): string {
  const inner = JSON.stringify(key).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `['${inner}']`;
}
