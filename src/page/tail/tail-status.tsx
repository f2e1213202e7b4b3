import { Button } from '../components/button.tsx';
import { formatAddress } from '../routing/address.ts';
import { address } from '../routing/location.ts';
import { shortNumber, wholeNumber } from '../text/numbers.ts';
import type { TailFeed } from './tail-feed.ts';
import { missedCount, newCount, type TailView } from './tail-view.ts';

interface TailStatusProps {
  readonly feed: TailFeed;
  readonly view: TailView;
  readonly onToggle: () => void;
  readonly onClear: () => void;
}

/** Whether records flow, how many, and which are not shown. */
export function TailStatus({ feed, view, onToggle, onClear }: TailStatusProps) {
  const isPaused = view.pause !== undefined;
  const missed = missedCount(view, feed);
  return (
    <div class="search-tools tail-status">
      <Button
        icon={isPaused ? 'play' : 'pause'}
        label={isPaused ? 'Continue' : 'Pause'}
        shortcut="t"
        class="tail-toggle"
        onClick={onToggle}
      >
        {isPaused ? 'Continue' : 'Pause'}
      </Button>
      <p class="search-count">
        <FeedLight feed={feed} isPaused={isPaused} />
        {isPaused && newCount(view, feed) > 0 && <b> +{wholeNumber(newCount(view, feed))} new</b>}
        <span class="muted"> {shortNumber(Math.round(feed.ratePerSecond() * 10) / 10)} records/s</span>
      </p>
      {feed.skipped > 0 && (
        <p class="tail-note">
          Sampled: {wholeNumber(feed.skipped)} records came too fast to show.{' '}
          <a href={searchHref('15m')}>Search them</a>
        </p>
      )}
      {missed > 0 && (
        <p class="tail-note">
          {wholeNumber(missed)} of the new records are no longer in memory.{' '}
          <a href={searchHref(view.entries.at(-1)?.time ?? '15m')}>Search them</a>
        </p>
      )}
      <Button kind="quiet" icon="close" onClick={onClear}>
        Clear
      </Button>
    </div>
  );
}

function FeedLight({ feed, isPaused }: { readonly feed: TailFeed; readonly isPaused: boolean }) {
  if (feed.state === 'waiting') return <span class="light off">Disconnected, connecting again ...</span>;
  if (feed.state === 'connecting') return <span class="light off">Connecting ...</span>;
  return isPaused ? <span class="light paused">Paused</span> : <span class="light on">Live</span>;
}

function searchHref(from: string): string {
  const { q, sev, cols, utc } = address.value.parameters;
  const parameters = Object.entries({ q, sev, cols, utc, from }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return formatAddress({ path: ['search'], parameters: Object.fromEntries(parameters) });
}
