import type { ComponentChildren } from 'preact';

export type DefinitionRow = readonly [name: string, value: ComponentChildren];

export function DefinitionList({ rows }: { readonly rows: readonly DefinitionRow[] }) {
  return (
    <dl class="definition">
      {rows.map(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name} value`}>{value}</dd>])}
    </dl>
  );
}
