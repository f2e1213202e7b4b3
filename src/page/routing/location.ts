import { computed, signal } from '@preact/signals';
import { type Address, formatAddress, parseAddress } from './address.ts';

const hash = signal(window.location.hash);
window.addEventListener('hashchange', () => {
  hash.value = window.location.hash;
});

/** The address of the page is its state: components read it and change it, and keep no copy. */
export const address = computed(() => parseAddress(hash.value));

/** `replace`: the back button skips the address that is left. */
export function navigate(to: Address, { replace = false }: { readonly replace?: boolean } = {}): void {
  const next = formatAddress(to);
  if (next === window.location.hash) return;
  if (replace) window.history.replaceState(null, '', next);
  else window.history.pushState(null, '', next);
  hash.value = next;
}

/** Changes parameters of the present address; undefined removes one. */
export function changeParameters(
  changes: Readonly<Record<string, string | undefined>>,
  options: { readonly replace?: boolean } = {},
): void {
  const { path, parameters } = address.peek();
  navigate({ path, parameters: withChanges(parameters, changes) }, options);
}

function withChanges(
  parameters: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const kept = Object.entries({ ...parameters, ...changes }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
  );
  return Object.fromEntries(kept);
}

window.addEventListener('popstate', () => {
  hash.value = window.location.hash;
});
