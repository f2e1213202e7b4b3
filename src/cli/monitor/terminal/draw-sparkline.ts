/** One character for each value, oldest first; null: a blank. The largest value is a full block. */
export function drawSparkline(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  const top = Math.max(...known);
  const bottom = Math.min(0, ...known);
  const range = top - bottom;
  return values
    .map((value) => {
      if (value === null) return ' ';
      const level = range === 0 ? 0 : Math.round(((value - bottom) / range) * (BLOCKS.length - 1));
      return BLOCKS[level] ?? ' ';
    })
    .join('');
}

/** From an eighth to the full height of a character. */
export const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
