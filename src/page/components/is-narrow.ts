import { signal } from '@preact/signals';

const query = window.matchMedia('(max-width: 760px)');

/** As in the style sheets. */
export const isNarrow = signal(query.matches);
query.addEventListener('change', () => {
  isNarrow.value = query.matches;
});
