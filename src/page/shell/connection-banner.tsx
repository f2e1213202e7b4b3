import { isConnected } from '../api/client.ts';
import { loadSession } from '../api/session.ts';
import { Button } from '../components/button.tsx';

/** Shown while no aggregator answers. What was loaded stays on the page. */
export function ConnectionBanner() {
  return (
    <div role="alert">
      {!isConnected.value && (
        <div class="banner">
          <span>
            The aggregator does not answer. The page connects again by itself; nothing here is lost.
          </span>
          <Button icon="refresh" onClick={() => void loadSession()}>
            Connect now
          </Button>
        </div>
      )}
    </div>
  );
}
