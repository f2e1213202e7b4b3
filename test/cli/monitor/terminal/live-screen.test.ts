import { expect, test } from 'vitest';
import { LiveScreen } from '../../../../src/cli/monitor/terminal/live-screen.ts';
import { capturedIo } from '../../../support/captured-io.ts';

function screen(columns: number, rows: number) {
  const { io, stdout } = capturedIo();
  const terminal = {
    isTerminal: true,
    columns,
    rows,
    timeZone: 'utc' as const,
    paint: (text: string) => text,
  };
  return { screen: new LiveScreen(io.stdout, terminal), terminal, stdout };
}

test('redraws the text in place', () => {
  const { screen: live, stdout } = screen(20, 24);
  live.draw('a\nb\n');
  live.draw('c\n');
  live.close();
  live.close();
  expect(stdout()).toBe('\u001b[?25l\u001b[Ja\nb\n\u001b[2A\r\u001b[Jc\n\u001b[?25h');
});

test('redraws after the window became narrower; colours have no width', () => {
  const { screen: live, terminal, stdout } = screen(20, 24);
  live.draw(`\u001b[31m${'x'.repeat(20)}\u001b[39m\n\nb\n`);
  Object.assign(terminal, { columns: 10 });
  live.draw('c\n');
  expect(stdout()).toContain('\u001b[4A\r');
});

test('cuts text that does not fit', () => {
  const { screen: live, stdout } = screen(20, 6);
  live.draw('1\n2\n3\n4\n5\n6\n7\n');
  expect(stdout()).toBe('\u001b[?25l\u001b[J1\n2\n3\n4\n... 3 more lines\n');
});

test('counts a long line as several rows', () => {
  const { screen: live, stdout } = screen(20, 6);
  live.draw(`${'x'.repeat(41)}\n2\n3\n4\n`);
  expect(stdout()).toContain('2\n... 2 more lines');
  expect(stdout()).not.toContain('3\n');
});

test('prints nothing if it is closed before the first text', () => {
  const { screen: live, stdout } = screen(20, 6);
  live.close();
  expect(stdout()).toBe('');
});
