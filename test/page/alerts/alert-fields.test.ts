import { expect, it } from 'vitest';
import { alertDefinition } from '../../../src/monitoring/alert-definition.ts';
import { definitionOf, fieldsOfAlert, newAlert } from '../../../src/page/alerts/alert-fields.ts';
import type { AlertDefinition } from '../../../src/page/api/monitoring.ts';

it('the form of a new alert makes a definition that the aggregator accepts', () => {
  const body = definitionOf({ ...newAlert('requests'), id: 'slow', level: '1.5' });
  expect(alertDefinition.parse(body)).toMatchObject({ id: 'slow', metric: 'requests', level: 1.5 });
});

it('the form of an alert keeps what it does not show', () => {
  const alert = alertDefinition.parse({
    ...{ id: 'slow', metric: 'requests', level: 2, checkSeconds: 15, fillMissing: false },
  }) as AlertDefinition;
  expect(definitionOf(fieldsOfAlert(alert), alert)).toEqual(alert);
});
