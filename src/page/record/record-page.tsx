import { EmptyState } from '../components/states.tsx';

export function RecordPage() {
  return <EmptyState title="Record" />;
}
