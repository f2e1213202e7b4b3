import { render } from 'preact';
import { loadSession, watchConnection } from './api/session.ts';
import { listenForKeys } from './keyboard/keys.ts';
import { Shell } from './shell/shell.tsx';
import { applyPreferences } from './theme/preferences.ts';
import './theme/tokens.css';
import './theme/page.css';
import './theme/documents.css';

applyPreferences();
listenForKeys();
watchConnection();
void loadSession();

const root = document.querySelector('#page');
if (root !== null) render(<Shell />, root);
