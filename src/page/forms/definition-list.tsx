import type { ComponentChildren } from 'preact';

export type DefinitionRow = readonly [name: string, value: ComponentChildren];

export function DefinitionList({ rows }: { readonly rows: readonly DefinitionRow[] }) {
  return (
    <dl class="definition">
      {rows.map(([name, value], at) => [
        <dt key={`${at} name`}>{name}</dt>,
        <dd key={`${at} value`}>{value}</dd>,
      ])}
    </dl>
  );
}
