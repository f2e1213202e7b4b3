import type { CodePoints } from './code-points.ts';

/** A parsed regular expression. Each construct has the same meaning in every engine that it is written for. */
export type PatternNode =
  /** One character of a set. A literal character is a set of one. */
  | { readonly kind: 'set'; readonly codePoints: CodePoints }
  | { readonly kind: 'assertion'; readonly at: 'start' | 'end' | 'word-boundary' | 'no-word-boundary' }
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly PatternNode[] }
  | {
      readonly kind: 'repetition';
      readonly node: PatternNode;
      readonly min: number;
      /** Infinity: no limit. */
      readonly max: number;
      readonly isLazy: boolean;
    }
  | { readonly kind: 'capture'; readonly field: PatternField; readonly node: PatternNode };

export interface PatternField {
  readonly name: string;
  readonly type: FieldType;
}

/** The type that a captured text is converted to. */
export type FieldType = (typeof FIELD_TYPES)[number];

export const FIELD_TYPES = ['text', 'int', 'float', 'boolean'] as const;

/** The number of states of the node with its counted repetitions written out. */
export function sizeOf(node: PatternNode): number {
  switch (node.kind) {
    case 'set':
    case 'assertion':
      return 1;
    case 'sequence':
    case 'choice':
      return node.nodes.reduce((sum, each) => sum + sizeOf(each), 1);
    case 'capture':
      return 1 + sizeOf(node.node);
    case 'repetition':
      return (
        1 + sizeOf(node.node) * Math.max(1, node.max === Number.POSITIVE_INFINITY ? node.min + 1 : node.max)
      );
  }
}

/** The largest product of the counts of repetitions in each other: 6 for `(a{2}b){3}`. */
export function nestedCount(node: PatternNode): number {
  switch (node.kind) {
    case 'set':
    case 'assertion':
      return 1;
    case 'sequence':
    case 'choice':
      return node.nodes.reduce((most, each) => Math.max(most, nestedCount(each)), 1);
    case 'capture':
      return nestedCount(node.node);
    case 'repetition': {
      if (node.max === 0) return 1;
      const count = node.max === Number.POSITIVE_INFINITY ? node.min : node.max;
      return Math.max(1, count) * nestedCount(node.node);
    }
  }
}

/** The fields of all groups, in the order of their opening parentheses. */
export function capturesIn(node: PatternNode): readonly PatternField[] {
  switch (node.kind) {
    case 'set':
    case 'assertion':
      return [];
    case 'sequence':
    case 'choice':
      return node.nodes.flatMap(capturesIn);
    case 'capture':
      return [node.field, ...capturesIn(node.node)];
    case 'repetition':
      return capturesIn(node.node);
  }
}
