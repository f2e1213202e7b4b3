import { EmptyState } from '../components/states.tsx';

export function SearchPage() {
  return <EmptyState title="Search" />;
}
