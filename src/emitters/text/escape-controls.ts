const CONTROLS = /(?!\t)\p{Cc}/gu;

const SHORT: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
]);

/**
 * Text with every control character but TAB made visible. What a terminal would obey, a log line must not hold: it could
 * move the cursor, rewrite earlier lines, or set the window's title to a command.
 */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (control) => SHORT.get(control) ?? hex(control));
}

function hex(control: string): string {
  return `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
