import { Help } from 'commander';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/command-list.ts';
import { EXIT } from '../../src/cli/output/exit-codes.ts';
import { run } from '../../src/cli/run.ts';
import { capturedIo } from '../support/captured-io.ts';

test.each(Object.entries(COMMANDS))('%s is listed as it is', async (name, { usage, load }) => {
  const loaded = (await load())({ io: capturedIo().io, exitCode: EXIT.ok });
  expect(loaded.name()).toBe(name);
  expect(new Help().subcommandTerm(loaded)).toBe(`${name} ${usage}`.trimEnd());
});

test('the list of --help has the descriptions of all commands, also if a command follows', async () => {
  for (const argv of [['--help'], ['--help', 'status'], ['help']]) {
    const { io, stdout } = capturedIo();
    expect(await run(argv, io)).toBe(0);
    const text = stdout().replaceAll(/\s+/g, ' ');
    for (const { description } of Object.values(COMMANDS)) expect(text).toContain(description);
  }
});

test('a command after -- is found', async () => {
  const { io, stderr } = capturedIo();
  expect(await run(['--', 'status', 'surplus'], io)).toBe(2);
  expect(stderr()).toContain("too many arguments for 'status'");
});
