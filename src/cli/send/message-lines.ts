const LF = 0x0a;
const CR = 0x0d;
/** A longer line is cut: the rest is discarded and not a message of its own. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;

/** The lines of some bytes, without their ends and without empty lines, as they arrive. */
export async function* messageLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Buffer[]> {
  let held: Buffer = Buffer.alloc(0);
  let isDiscarding = false;
  for await (const chunk of chunks) {
    const lines: Buffer[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      if (!isDiscarding) add(lines, Buffer.concat([held, chunk.subarray(from, end)]));
      isDiscarding = false;
      held = Buffer.alloc(0);
      from = end + 1;
    }
    if (!isDiscarding) held = Buffer.concat([held, chunk.subarray(from)]);
    if (held.length >= MAX_LINE_BYTES) {
      add(lines, held);
      held = Buffer.alloc(0);
      isDiscarding = true;
    }
    if (lines.length > 0) yield lines;
  }
  const last: Buffer[] = [];
  add(last, held);
  if (last.length > 0) yield last;
}

function add(lines: Buffer[], line: Buffer): void {
  const text = line.at(-1) === CR ? line.subarray(0, -1) : line;
  if (text.length > 0) lines.push(text);
}
