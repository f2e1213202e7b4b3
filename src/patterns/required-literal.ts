import type { PatternNode } from './pattern-node.ts';

/**
 * The longest text that is part of every match of a pattern; empty if there is none. A database finds texts with it
 * by an index, or sooner than with the pattern.
 */
export function requiredLiteral(node: PatternNode): string {
  return literalsOf(node).longest;
}

interface Literals {
  /** The node matches this text only. */
  readonly exact: string | undefined;
  readonly longest: string;
}

const NONE: Literals = { exact: undefined, longest: '' };

function literalsOf(node: PatternNode): Literals {
  switch (node.kind) {
    case 'set': {
      const [range, ...more] = node.codePoints;
      const isOne = range !== undefined && more.length === 0 && range[0] === range[1] && range[0] !== 0;
      return isOne ? exactly(String.fromCodePoint(range[0])) : NONE;
    }
    case 'assertion':
      return exactly('');
    case 'sequence':
      return ofSequence(node.nodes);
    case 'choice':
      return node.nodes.length === 1 ? ofSequence(node.nodes) : NONE;
    case 'capture':
      return literalsOf(node.node);
    case 'repetition': {
      if (node.min === 0) return NONE;
      const literals = literalsOf(node.node);
      return node.max === 1 ? literals : { ...literals, exact: undefined };
    }
  }
}

function exactly(text: string): Literals {
  return { exact: text, longest: text };
}

function ofSequence(nodes: readonly PatternNode[]): Literals {
  let [run, longest, isExact] = ['', '', true];
  for (const node of nodes) {
    const each = literalsOf(node);
    isExact &&= each.exact !== undefined;
    run = each.exact === undefined ? '' : run + each.exact;
    longest = [longest, run, each.longest].reduce((a, b) => (b.length > a.length ? b : a));
  }
  return { exact: isExact ? run : undefined, longest };
}
