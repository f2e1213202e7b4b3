import { describe, expect, test } from 'vitest';
import { monitor } from './monitor-run.ts';

const GROUPS = {
  metrics: ['list', 'get', 'meta', 'create', 'delete'],
  alerts: ['list', 'get', 'meta', 'create', 'delete', 'observe'],
};
const COMMANDS = [
  ['logs'],
  ...Object.entries(GROUPS).flatMap(([group, names]) => names.map((name) => [group, name])),
];

describe('--help', () => {
  test.each([[[]], [['metrics']], [['alerts']], ...COMMANDS.map((argv) => [argv])])(
    'of monitor %j has examples',
    async (argv) => {
      const { exitCode, stdout, stderr } = await monitor([...argv, '--help']);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toMatch(new RegExp(`^Examples:\n {2}mega-collector monitor ${argv.join(' ')}`, 'm'));
      for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(120);
    },
  );

  test.each(COMMANDS.map((argv) => [argv]))(
    'of monitor %j: it can speak JSON, and takes no token',
    async (argv) => {
      const { stdout } = await monitor([...argv, '--help']);
      expect(stdout).toContain('  --json ');
      expect(stdout).toContain('  --url <url> ');
      expect(stdout).toContain('  --token-file <path> ');
      expect(stdout).not.toContain('--token ');
    },
  );

  test('a bare monitor shows its commands', async () => {
    const { exitCode, stderr } = await monitor([]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Usage: mega-collector monitor');
  });
});

describe('a wrong command line exits with 2', () => {
  test.each([
    [['metric'], "unknown command 'metric'"],
    [['alerts', 'watch'], 'Unknown command "watch". Commands: list, get, meta'],
    [['metrics', 'get'], "missing required argument 'id'"],
    [['metrics', 'get', 'a', 'b'], 'too many arguments'],
    [['alerts', 'observe', '--token', 'x'], "unknown option '--token'"],
    [['alerts', 'get', '../metrics'], 'ID: expected a lower-case letter'],
  ])('%j: %s', async (argv, message) => {
    const { exitCode, stdout, stderr } = await monitor(argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });
});
