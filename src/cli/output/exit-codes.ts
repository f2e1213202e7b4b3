/** Exit codes of the process. 78 is EX_CONFIG of sysexits.h; 130 is 128 + SIGINT. */
export const EXIT = { ok: 0, failure: 1, usage: 2, configuration: 78, secondSignal: 130 } as const;
