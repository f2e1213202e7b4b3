import { session, signOut } from '../api/session.ts';
import { Button } from '../components/button.tsx';
import type { IconName } from '../components/icon.tsx';
import { zoneName } from '../text/times.ts';
import { isUtc, setUtc, THEMES, type Theme, theme } from '../theme/preferences.ts';
import { isHelpOpen } from './help-dialog.tsx';

const THEME_ICONS: Readonly<Record<Theme, IconName>> = { system: 'system', light: 'sun', dark: 'moon' };

/** The zone of times, the theme, the help, and the sign-out if there is something to sign out of. */
export function Tools() {
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'system';
  return (
    <div class="tools">
      <Button
        kind="quiet"
        label={isUtc.value ? 'Times are in UTC. Show local times' : 'Times are local. Show UTC'}
        onClick={() => setUtc(!isUtc.value)}
      >
        {isUtc.value ? 'UTC' : `Local`}
        <span class="visually-hidden"> time, {zoneName(isUtc.value)}</span>
      </Button>
      <Button
        kind="quiet"
        icon={THEME_ICONS[theme.value]}
        label={`Theme: ${theme.value}. Switch to ${next}`}
        onClick={() => {
          theme.value = next;
        }}
      />
      <Button
        kind="quiet"
        icon="help"
        label="Keys and help"
        shortcut="?"
        onClick={() => {
          isHelpOpen.value = true;
        }}
      />
      {session.value?.signIn === 'done' && (
        <Button kind="quiet" onClick={() => void signOut()}>
          Sign out
        </Button>
      )}
    </div>
  );
}
