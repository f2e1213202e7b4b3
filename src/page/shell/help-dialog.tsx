import { signal } from '@preact/signals';
import { session } from '../api/session.ts';
import { Dialog } from '../components/dialog.tsx';
import { keyGroups } from '../keyboard/keys.ts';
import { hasSingleKeys } from '../theme/preferences.ts';

export const isHelpOpen = signal(false);

const NAMES: Readonly<Record<string, string>> = {
  ArrowDown: '↓',
  ArrowUp: '↑',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
  ' ': 'Space',
};

/** The keys of the present page. */
export function HelpDialog() {
  if (!isHelpOpen.value) return null;
  const close = () => {
    isHelpOpen.value = false;
  };
  return (
    <Dialog title="Keys" onClose={close}>
      {keyGroups.value.map(({ title, bindings }) => (
        <section key={title}>
          <h3>{title}</h3>
          <dl class="help-list">
            {bindings.map(({ key, description }) => [
              <dt key={`${key} key`}>
                <kbd>{NAMES[key] ?? key}</kbd>
              </dt>,
              <dd key={`${key} text`}>{description}</dd>,
            ])}
          </dl>
        </section>
      ))}
      <label class="check">
        <input
          type="checkbox"
          checked={hasSingleKeys.value}
          onChange={(event) => {
            hasSingleKeys.value = event.currentTarget.checked;
          }}
        />
        Single letters are shortcuts
      </label>
      <p class="muted">mega-collector {session.value?.version}</p>
    </Dialog>
  );
}
