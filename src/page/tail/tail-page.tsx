import { EmptyState } from '../components/states.tsx';

export function TailPage() {
  return <EmptyState title="Tail" />;
}
