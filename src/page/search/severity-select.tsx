import { SEVERITIES, type Severity } from '../records/severity.ts';

interface SeveritySelectProps {
  readonly severity: Severity | undefined;
  readonly onSeverity: (severity: string | undefined) => void;
}

export function SeveritySelect({ severity, onSeverity }: SeveritySelectProps) {
  return (
    <select
      class="severity-select"
      aria-label="Minimum severity"
      value={severity ?? ''}
      onChange={(event) => onSeverity(event.currentTarget.value || undefined)}
    >
      <option value="">Any severity</option>
      {SEVERITIES.map((each) => (
        <option key={each} value={each}>
          {each === 'fatal' ? 'fatal' : `${each} and above`}
        </option>
      ))}
    </select>
  );
}
