/** The `limit` items with the largest keys, the largest first, without sorting all: there may be 10,000 of them. */
export function largest<Item>(
  items: readonly Item[],
  limit: number,
  keyOf: (item: Item) => number,
): readonly Item[] {
  const found: { readonly item: Item; readonly key: number }[] = [];
  for (const item of items) {
    const key = keyOf(item);
    if (found.length === limit && key <= (found.at(-1)?.key ?? 0)) continue;
    let at = found.length;
    while (at > 0 && (found[at - 1]?.key ?? 0) < key) at--;
    found.splice(at, 0, { item, key });
    if (found.length > limit) found.pop();
  }
  return found.map(({ item }) => item);
}
