import type { ControlHandlers } from './control.ts';
import { ControlError } from './control-error.ts';

/** For a process whose state cannot be used: each of these commands returns the reason. */
export function brokenControl(commands: readonly string[], reason: string): ControlHandlers {
  const refuse = async () => {
    throw new ControlError('broken', reason);
  };
  return Object.fromEntries(commands.map((command) => [command, refuse]));
}
