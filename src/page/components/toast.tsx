import { signal } from '@preact/signals';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
}

const SHOWN_MS = 6000;
const MAX_TOASTS = 3;
const toasts = signal<readonly Toast[]>([]);
/** For assistive technology only: counts and states that are visible elsewhere. */
const announcement = signal('');
let lastId = 0;

/** Shows a short text at the edge of the page for some seconds, and reads it out. */
export function showToast(text: string, { isError = false }: { readonly isError?: boolean } = {}): void {
  const toast = { id: ++lastId, text, isError };
  toasts.value = [...toasts.peek(), toast].slice(-MAX_TOASTS);
  setTimeout(() => {
    toasts.value = toasts.peek().filter(({ id }) => id !== toast.id);
  }, SHOWN_MS);
}

export function announce(text: string): void {
  announcement.value = text;
}

/** Live regions exist from the start: a region that is added with its text is not read out. */
export function Toasts() {
  return (
    <>
      <div class="visually-hidden" role="status" aria-live="polite">
        {announcement.value}
      </div>
      <div class="toasts" role="status" aria-live="polite">
        {toasts.value.map(({ id, text, isError }) => (
          <p key={id} class={isError ? 'toast error' : 'toast'}>
            {text}
          </p>
        ))}
      </div>
    </>
  );
}
