import { Button } from '../components/button.tsx';
import type { FieldValue } from '../query/conditions.ts';
import { visibleText } from '../text/visible-text.ts';
import { changeCondition, isInQuery } from './record-actions.ts';

const MAX_LABEL = 60;

/** Buttons that include and exclude a value in the query. */
export function ConditionButtons({
  property,
  value,
}: {
  readonly property: string;
  readonly value: FieldValue;
}) {
  const shown = visibleText(String(value).slice(0, MAX_LABEL));
  return (
    <>
      <Button
        kind="quiet"
        icon="plus"
        class="small"
        label={`Include ${property} ${shown}`}
        shortcut="f"
        isPressed={isInQuery({ property, value, isExcluded: false })}
        onClick={() => changeCondition({ property, value, isExcluded: false })}
      />
      <Button
        kind="quiet"
        icon="minus"
        class="small"
        label={`Exclude ${property} ${shown}`}
        shortcut="x"
        isPressed={isInQuery({ property, value, isExcluded: true })}
        onClick={() => changeCondition({ property, value, isExcluded: true })}
      />
    </>
  );
}
