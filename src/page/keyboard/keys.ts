import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { hasSingleKeys } from '../theme/preferences.ts';

export interface KeyBinding {
  /** As `KeyboardEvent.key`: `j`, `?`, `ArrowDown`, `Enter`. */
  readonly key: string;
  readonly description: string;
  /** false: the key was not meant for it; the next binding and the browser get it. */
  readonly run: (event: KeyboardEvent) => unknown;
}

export interface KeyGroup {
  /** The heading in the help: "Search". */
  readonly title: string;
  readonly bindings: readonly KeyBinding[];
}

/** The last one has precedence. */
export const keyGroups = signal<readonly KeyGroup[]>([]);

/** Single keys of a page, for as long as it is mounted. `?` lists them. */
export function useKeys(title: string, bindings: readonly KeyBinding[]): void {
  const latest = useRef(bindings);
  latest.current = bindings;
  useEffect(() => {
    const group: KeyGroup = {
      title,
      get bindings() {
        return latest.current;
      },
    };
    keyGroups.value = [...keyGroups.peek(), group];
    return () => {
      keyGroups.value = keyGroups.peek().filter((each) => each !== group);
    };
  }, [title]);
}

export function listenForKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return;
    if (event.key.length === 1 && !hasSingleKeys.peek()) return;
    const matching = keyGroups
      .peek()
      .toReversed()
      .flatMap(({ bindings }) => bindings.filter(({ key }) => key === event.key));
    for (const { run } of matching) {
      if (run(event) === false) continue;
      event.preventDefault();
      return;
    }
  });
}

/** Elements that need the key themselves. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null;
}
