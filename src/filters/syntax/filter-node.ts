import type { Expression } from '../../expressions/expression.ts';
import type { Property } from '../../expressions/property.ts';

/** The syntax tree of a filter. `offset`: the place in the text. */
export type StatementNode =
  | IfNode
  | AssignNode
  | TagsNode
  | RenameNode
  | SplitNode
  | { readonly kind: 'delete'; readonly offset: number; readonly properties: readonly PropertyNode[] }
  | EndNode
  | { readonly kind: 'route'; readonly offset: number; readonly emitters: readonly string[] }
  | { readonly kind: 'call'; readonly offset: number; readonly call: CallNode };

export interface IfNode {
  readonly kind: 'if';
  readonly offset: number;
  readonly branches: readonly {
    readonly condition: ConditionNode;
    readonly body: readonly StatementNode[];
  }[];
  readonly otherwise: readonly StatementNode[];
}

export interface AssignNode {
  readonly kind: 'assign';
  readonly offset: number;
  readonly target: PropertyNode;
  readonly value: ValueNode;
}

export interface TagsNode {
  readonly kind: 'tags';
  readonly offset: number;
  readonly isRemoval: boolean;
  readonly value: ValueNode;
}

export interface RenameNode {
  readonly kind: 'rename';
  readonly offset: number;
  readonly from: PropertyNode;
  readonly to: PropertyNode;
}

export interface SplitNode {
  readonly kind: 'split';
  readonly offset: number;
  readonly property: PropertyNode;
  /** undefined: the elements of a list. */
  readonly separator: string | undefined;
}

export interface EndNode {
  readonly kind: 'drop' | 'stop';
  readonly offset: number;
  /** undefined: always. */
  readonly condition: ConditionNode | undefined;
}

export type ConditionNode =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly ConditionNode[] }
  | { readonly kind: 'not'; readonly term: ConditionNode }
  | { readonly kind: 'expression'; readonly offset: number; readonly expression: Expression }
  | { readonly kind: 'call'; readonly call: CallNode }
  | {
      readonly kind: 'equal';
      readonly isNegated: boolean;
      readonly left: ValueNode;
      readonly right: ValueNode;
    };

export interface PropertyNode {
  readonly kind: 'property';
  readonly offset: number;
  /** As in the text. */
  readonly name: string;
  readonly property: Property;
}

export type ValueNode =
  | TextNode
  | { readonly kind: 'constant'; readonly offset: number; readonly value: number | boolean }
  | PropertyNode
  | { readonly kind: 'call'; readonly offset: number; readonly call: CallNode }
  | { readonly kind: 'join'; readonly offset: number; readonly parts: readonly ValueNode[] };

export interface TextNode {
  readonly kind: 'text';
  readonly offset: number;
  readonly text: string;
  /** As between the quotes: in a regular expression, a backslash is not an escape of the text. */
  readonly raw: string;
}

export interface CallNode {
  readonly name: string;
  readonly offset: number;
  readonly values: readonly ValueNode[];
  readonly named: readonly {
    readonly name: string;
    readonly offset: number;
    readonly value: ValueNode;
  }[];
}

export interface TestNode {
  readonly name: string;
  readonly offset: number;
  readonly format: string;
  readonly line: string;
  readonly resource: ReadonlyMap<string, string>;
  readonly expectations: readonly Expectation[];
}

export type Expectation =
  | { readonly kind: 'condition'; readonly offset: number; readonly condition: ConditionNode }
  | { readonly kind: 'dropped'; readonly offset: number }
  | { readonly kind: 'route'; readonly offset: number; readonly emitters: readonly string[] };

export interface FilterNode {
  readonly statements: readonly StatementNode[];
  readonly tests: readonly TestNode[];
}
