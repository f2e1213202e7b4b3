import { signal } from '@preact/signals';
import { connections, isConnected, isSignInNeeded, request, signIns } from './client.ts';
import { asProblem } from './problem.ts';

export interface Session {
  readonly version: string;
  readonly signIn: 'none' | 'required' | 'done';
  readonly access: 'machine' | 'token';
  readonly store: 'duckdb' | 'postgres' | 'clickhouse' | null;
  readonly now: string;
}

/** undefined: not known yet. */
export const session = signal<Session | undefined>(undefined);

/** Failures are shown by the requests of the pages. */
export async function loadSession(): Promise<void> {
  const signInsBefore = signIns.peek();
  try {
    const loaded = await request<Session>('session', { timeoutMs: 5000 });
    if (signIns.peek() !== signInsBefore) return;
    session.value = loaded;
    isSignInNeeded.value = session.value.signIn === 'required';
  } catch (error) {
    void asProblem(error);
  }
}

/** Rejects with Problem. */
export async function signIn(token: string): Promise<void> {
  await request('session', { method: 'POST', body: { token } });
  signIns.value++;
  isSignInNeeded.value = false;
  connections.value++;
  await loadSession();
}

export async function signOut(): Promise<void> {
  await request('session', { method: 'DELETE' });
  await loadSession();
}

const RETRY_MS = [1000, 2000, 4000, 8000] as const;

/** Asks for the session until the aggregator answers again. */
export function watchConnection(): void {
  let attempts = 0;
  const retry = async () => {
    await loadSession();
    if (isConnected.peek()) attempts = 0;
    else schedule();
  };
  const schedule = () => {
    const delayMs = RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)];
    setTimeout(() => void retry(), delayMs);
  };
  isConnected.subscribe((isNow) => {
    if (!isNow && attempts === 0) schedule();
  });
}
