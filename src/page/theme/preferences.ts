import { computed, effect, signal } from '@preact/signals';
import { address, changeParameters } from '../routing/location.ts';

export type Theme = 'system' | 'light' | 'dark';
export const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

/** A browser may forbid storage; then preferences last as long as the page. */
function stored(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function store(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Nothing depends on it.
  }
}

const storedTheme = stored('theme');
export const theme = signal<Theme>(THEMES.find((each) => each === storedTheme) ?? 'system');

/** Off: for people whose speech input or screen reader presses single keys (WCAG 2.1.4). */
export const hasSingleKeys = signal(stored('single-keys') !== 'off');

const storedUtc = signal(stored('utc') === '1');
/** Times are in UTC; the address has precedence, so that a link shows the same times everywhere. */
export const isUtc = computed(() => {
  const { utc } = address.value.parameters;
  return utc === undefined ? storedUtc.value : utc === '1';
});

export function setUtc(isNow: boolean): void {
  storedUtc.value = isNow;
  store('utc', isNow ? '1' : '0');
  changeParameters({ utc: isNow ? '1' : undefined }, { replace: true });
}

export function applyPreferences(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
    store('theme', theme.value);
  });
  effect(() => store('single-keys', hasSingleKeys.value ? 'on' : 'off'));
}
