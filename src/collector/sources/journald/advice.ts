/** The action that solves a problem which journalctl reports. */
export function adviceFor(text: string): string {
  return ADVICE.find(([pattern]) => pattern.test(text))?.[1] ?? 'Run the command in `command` by hand.';
}

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/ENOENT/, 'Install systemd, or set `command` to the path of journalctl.'],
  [/EACCES|EPERM/, 'Permit the user of the collector to run journalctl.'],
  [
    /permission|not seeing messages|systemd-journal|not permitted/i,
    'Add the user of the collector to the group systemd-journal, and start the collector again.',
  ],
  [/corrupt|truncated|Bad message|checksum/i, 'Run `journalctl --verify`. Entries of other files are read.'],
  [/No such file or directory/, 'Check `directory` and `files`: they must exist.'],
];
