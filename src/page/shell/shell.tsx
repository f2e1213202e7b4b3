import { Toasts } from '../components/toast.tsx';
import { useKeys } from '../keyboard/keys.ts';
import { ConnectionBanner } from './connection-banner.tsx';
import { HelpDialog, isHelpOpen } from './help-dialog.tsx';
import { Navigation } from './navigation.tsx';
import { PageFrame } from './page-frame.tsx';
import { SignInDialog } from './sign-in-dialog.tsx';
import { Tools } from './tools.tsx';

/** Everything around the page: navigation, banner, dialogs, live regions. */
export function Shell() {
  useKeys('Everywhere', [
    {
      key: '?',
      description: 'Show this help',
      run: () => {
        isHelpOpen.value = true;
      },
    },
  ]);
  return (
    <div class="shell">
      <button
        type="button"
        class="skip"
        onClick={() => document.querySelector<HTMLElement>('#main')?.focus()}
      >
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href="#/search">
          <Mark />
          mega-collector
        </a>
        <Navigation />
        <Tools />
      </header>
      <ConnectionBanner />
      <PageFrame />
      <Toasts />
      <HelpDialog />
      <SignInDialog />
    </div>
  );
}

function Mark() {
  return (
    <svg width="18" height="18" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <rect width="16" height="16" rx="3" fill="#0f766e" />
      <path d="M3 4.5h10M3 8h7M3 11.5h4" stroke="#fff" stroke-width="1.6" stroke-linecap="round" />
    </svg>
  );
}
