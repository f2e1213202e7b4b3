import type { Expression } from './expression.ts';
import type { Property } from './property.ts';

/**
 * The part of a record that an expression reads, each one including those before it.
 *
 * - `nothing`: it is constant.
 * - `batch`: only the resource (`resource.NAME`), which all records of a batch share: it is decided once for
 *   the batch, and no record is parsed.
 * - `record`: the parsed record. A record may have an own attribute of any name, also of `source` or `stream`.
 */
export type Reads = (typeof ORDER)[number];

const ORDER = ['nothing', 'batch', 'record'] as const;

export function readsOf(expression: Expression): Reads {
  return propertiesOf(expression).map(readsOfProperty).reduce(more, 'nothing');
}

/** The properties of an expression, in their order. */
export function propertiesOf(expression: Expression): readonly Property[] {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.terms.flatMap(propertiesOf);
    case 'not':
      return propertiesOf(expression.term);
    case 'constant':
      return [];
    case 'exists':
    case 'test':
      return [expression.property];
  }
}

function more(a: Reads, b: Reads): Reads {
  return ORDER.indexOf(a) > ORDER.indexOf(b) ? a : b;
}

function readsOfProperty(property: Property): Reads {
  return property.kind === 'attribute' && property.isResource === true ? 'batch' : 'record';
}
