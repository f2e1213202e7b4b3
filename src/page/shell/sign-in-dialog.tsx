import { useState } from 'preact/hooks';
import { isSignInNeeded } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';
import { signIn } from '../api/session.ts';
import { Button } from '../components/button.tsx';
import { Dialog } from '../components/dialog.tsx';

/** Open while the aggregator refuses requests without its token. */
export function SignInDialog() {
  const [token, setToken] = useState('');
  const [error, setError] = useState('');
  const [isSending, setSending] = useState(false);
  if (!isSignInNeeded.value) return null;
  const send = async (event: Event) => {
    event.preventDefault();
    setSending(true);
    try {
      await signIn(token);
      setToken('');
      setError('');
    } catch (failure) {
      setError(asProblem(failure).message);
    } finally {
      setSending(false);
    }
  };
  return (
    <Dialog
      title="Sign in"
      onClose={() => {
        isSignInNeeded.value = false;
      }}
    >
      <form class="dialog-form" onSubmit={(event) => void send(event)}>
        <div class="field">
          <label for="token">Token of the aggregator</label>
          <input
            id="token"
            type="password"
            autocomplete="current-password"
            required
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
            aria-describedby="token-hint"
            aria-invalid={error !== ''}
          />
          <p
            id="token-hint"
            class={error === '' ? 'field-hint' : 'field-error'}
            role={error === '' ? undefined : 'alert'}
          >
            {error === '' ? 'It is the value of AGGREGATOR_HTTP_TOKEN at the aggregator.' : error}
          </p>
        </div>
        <Button kind="primary" type="submit" isDisabled={isSending}>
          Sign in
        </Button>
      </form>
    </Dialog>
  );
}
