/** Prints one line for each event of the demo, with the time since the start. */
export class Narrator {
  readonly #began = performance.now();
  readonly #colours = process.stdout.isTTY && process.env.NO_COLOR === undefined;
  readonly #columns = process.stdout.columns ?? 120;
  #batches = 0;
  #gathered = '';
  #quiet: NodeJS.Timeout | undefined;

  say(text: string): void {
    this.#print(text);
  }

  /** Prints an event that a reader should notice. */
  mark(text: string): void {
    this.#print(this.#paint('36', text));
  }

  fail(text: string): void {
    this.#print(this.#paint('31', text));
  }

  succeed(text: string): void {
    this.#print(this.#paint('32', text));
  }

  /** The output of the text emitter. Output within a short time is one batch, shown as one line. */
  emitted(chunk: Buffer): void {
    this.#gathered += chunk.toString('latin1');
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.flush(), 100);
  }

  flush(): void {
    clearTimeout(this.#quiet);
    if (this.#gathered === '') return;
    const lines = this.#gathered.split('\n');
    const last = lines.at(-2) ?? lines.at(-1) ?? '';
    const head = `batch ${String(++this.#batches).padStart(3)}  ${count(lines.length - 1)} lines  ${count(this.#gathered.length)} bytes`;
    this.#gathered = '';
    this.#print(`${head}   ${this.#paint('2', shortened(last, this.#columns - head.length - 14))}`);
  }

  /** Prints a command as a user would type it, and its output. */
  command(line: string, output: string): void {
    this.#print(this.#paint('1', `$ ${line}`));
    process.stdout.write(output.replaceAll(/^(?=.)/gm, '          '));
  }

  table(rows: readonly (readonly [string, number, number | undefined])[]): void {
    process.stdout.write(`\n${''.padEnd(22)}${'lines'.padStart(12)}${'bytes'.padStart(14)}\n`);
    for (const [name, lines, bytes] of rows) {
      const shown = bytes === undefined ? '' : count(bytes);
      process.stdout.write(`${name.padEnd(22)}${count(lines).padStart(12)}${shown.padStart(14)}\n`);
    }
    process.stdout.write('\n');
  }

  #print(text: string): void {
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(1).padStart(6);
    process.stdout.write(`${this.#paint('2', `${seconds} s`)}  ${text}\n`);
  }

  #paint(code: string, text: string): string {
    return this.#colours ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

function count(value: number): string {
  return value.toLocaleString('en-US').padStart(7);
}

function shortened(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
