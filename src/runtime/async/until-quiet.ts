/** A sender that never pauses ends the wait after this many turns. */
const MOST_TURNS = 50;
/** One turn without a change is not enough: it may have started after the phase in which sockets are read. */
const QUIET_TURNS = 2;

/**
 * Resolves when `count` has not changed for some turns of the event loop. A listener that closes calls it to read the
 * bytes that its peers have already sent.
 */
export async function untilQuiet(count: () => number, quietTurns = QUIET_TURNS): Promise<void> {
  let before = -1;
  for (let turn = 0, quiet = 0; turn < MOST_TURNS && quiet < quietTurns; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = count();
    quiet = now === before ? quiet + 1 : 0;
    before = now;
  }
}
