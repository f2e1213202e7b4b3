/** The first KiB of each generation of the uniform log. */
export const BANNER = `# banner ${'='.repeat(1100)}\n`;

/** The last bytes of each generation of the uniform log. */
export const TRAILER = `# trailer ${'-'.repeat(100)}\n`;

/** Without the line ending. */
export function isFrameLine(line: string): boolean {
  return line.startsWith('#') && (BANNER === `${line}\n` || TRAILER === `${line}\n`);
}
